// SIGINT and SIGTERM as a stop request, or on their way to a program that we run; SIGTSTP with a chance to tidy up.
#pragma once

#include <sys/types.h>

#include <csignal>
#include <functional>
#include <mutex>
#include <stop_token>
#include <thread>

namespace berth::cli {

/// Blocks SIGINT and SIGTERM (and SIGRTMIN, with which the watch itself ends) in this and all later threads and turns
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

  /// From now on SIGINT and SIGTERM, and with them SIGHUP, SIGQUIT, SIGUSR1 and SIGUSR2, go to the process `pid` of our
  /// process group, but for those of the terminal, which it has got already; and the terminals of its children follow
  /// the size of ours. One that came before, when it was too late not to start that process, goes to it at once. With 0
  /// all are stop requests (again). To be called by the thread that made the watch.
  void forward_to(pid_t pid);

 private:
  void watch();
  void take(const siginfo_t& info);
  void stop_process();

  std::function<void()> pause_;
  std::function<void()> resume_;
  sigset_t own_{};      ///< what the watch waits for
  sigset_t further_{};  ///< blocked in other threads only once signals are forwarded
  std::stop_source stop_;
  std::mutex mutex_;
  pid_t receiver_ = 0;
  int early_ = 0;  ///< the signal that came before there was a receiver
  bool ending_ = false;
  std::thread thread_;
};

}  // namespace berth::cli
