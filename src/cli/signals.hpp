// SIGINT and SIGTERM as a stop request.
#pragma once

#include <csignal>
#include <stop_token>
#include <thread>

namespace berth::cli {

/// Blocks SIGINT and SIGTERM (and SIGUSR1, with which the watch itself ends) in this and all later threads and turns
/// them into a stop request, so that work ends at a place where it can be undone. Ignores SIGPIPE. Made before any
/// other thread.
class SignalWatch {
 public:
  SignalWatch();
  SignalWatch(const SignalWatch&) = delete;
  SignalWatch& operator=(const SignalWatch&) = delete;
  ~SignalWatch();
  [[nodiscard]] std::stop_token token() const { return stop_.get_token(); }

 private:
  void watch();

  sigset_t signals_{};
  std::stop_source stop_;
  std::thread thread_;
};

}  // namespace berth::cli
