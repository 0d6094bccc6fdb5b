// SIGINT and SIGTERM as a stop request, SIGTSTP with a chance to tidy up.
#pragma once

#include <csignal>
#include <functional>
#include <stop_token>
#include <thread>

namespace berth::cli {

/// Blocks SIGINT and SIGTERM (and SIGUSR1, with which the watch itself ends) in this and all later threads and turns
/// them into a stop request, so that work ends at a place where it can be undone. Ignores SIGPIPE. Made before any
/// other thread. SIGTSTP (Ctrl-Z) is blocked in the same way: `pause` is called, then the process is stopped as by
/// default, and when it goes on `resume` is called, all in the thread of the watch.
class SignalWatch {
 public:
  SignalWatch(std::function<void()> pause, std::function<void()> resume);
  SignalWatch(const SignalWatch&) = delete;
  SignalWatch& operator=(const SignalWatch&) = delete;
  ~SignalWatch();
  [[nodiscard]] std::stop_token token() const { return stop_.get_token(); }

 private:
  void watch();
  void stop_process();

  std::function<void()> pause_;
  std::function<void()> resume_;
  sigset_t signals_{};
  std::stop_source stop_;
  std::thread thread_;
};

}  // namespace berth::cli
