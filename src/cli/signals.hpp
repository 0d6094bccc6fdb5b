// SIGINT and SIGTERM as a stop request, or on their way to a program that we run.
#pragma once

#include <sys/types.h>

#include <csignal>
#include <mutex>
#include <stop_token>
#include <thread>

namespace berth::cli {

/// Blocks SIGINT and SIGTERM (and SIGRTMIN, with which the watch itself ends) in this and all later threads and turns
/// them into a stop request, so that work ends at a place where it can be undone. Ignores SIGPIPE. Made before any
/// other thread.
class SignalWatch {
 public:
  SignalWatch();
  SignalWatch(const SignalWatch&) = delete;
  SignalWatch& operator=(const SignalWatch&) = delete;
  ~SignalWatch();
  [[nodiscard]] std::stop_token token() const { return stop_.get_token(); }

  /// From now on SIGINT and SIGTERM, and with them SIGHUP, SIGQUIT, SIGUSR1 and SIGUSR2, go to the process `pid` of our
  /// process group, but for those of the terminal, which it has got already; and the terminals of its children follow
  /// the size of ours. With 0 all are stop requests (again). To be called by the thread that made the watch.
  void forward_to(pid_t pid);

 private:
  void watch();
  void take(const siginfo_t& info);

  sigset_t own_{};      ///< what the watch waits for
  sigset_t further_{};  ///< blocked in other threads only once signals are forwarded
  std::stop_source stop_;
  std::mutex mutex_;
  pid_t receiver_ = 0;
  bool ending_ = false;
  std::thread thread_;
};

}  // namespace berth::cli
