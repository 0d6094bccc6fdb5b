// SPDX-License-Identifier: LGPL-2.1-or-later
// Handles SIGINT and SIGTERM as stop requests or forwards them to a child, and prepares the terminal for SIGTSTP.
#pragma once

#include <sys/types.h>

#include <csignal>
#include <functional>
#include <mutex>
#include <stop_token>
#include <thread>

namespace berth::cli {

/// Blocks SIGINT and SIGTERM (and SIGRTMIN, which ends the watch itself) in this and all later threads, and turns them
/// into a stop request, so that work ends where it can be undone. Ignores SIGPIPE. Must be constructed before any other
/// thread. SIGTSTP (Ctrl-Z) is blocked too: the thread of the watch calls `pause`, stops the process, and calls
/// `resume` when the process continues.
class SignalWatch {
 public:
  SignalWatch(std::function<void()> pause, std::function<void()> resume);
  SignalWatch(const SignalWatch&) = delete;
  SignalWatch& operator=(const SignalWatch&) = delete;
  ~SignalWatch();
  [[nodiscard]] std::stop_token token() const { return stop_.get_token(); }

  /// Forwards SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGUSR1 and SIGUSR2 to the process `pid` of this process group, except
  /// those from the terminal, which it has received itself. The terminals of its children follow the size of this one.
  /// A signal that arrived while the process was being started is forwarded at once. With 0 signals are stop requests
  /// again. To be called by the thread that constructed the watch.
  void forward_to(pid_t pid);

 private:
  void watch();
  void take(const siginfo_t& info);
  void stop_process();

  std::function<void()> pause_;
  std::function<void()> resume_;
  sigset_t own_{};      ///< signals that the watch waits for
  sigset_t further_{};  ///< blocked in other threads once signals are forwarded
  std::stop_source stop_;
  std::mutex mutex_;
  pid_t receiver_ = 0;
  int early_ = 0;  ///< signal that arrived before there was a receiver
  bool ending_ = false;
  std::thread thread_;
};

}  // namespace berth::cli
