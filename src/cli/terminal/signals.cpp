// SPDX-License-Identifier: LGPL-2.1-or-later
#include "cli/terminal/signals.hpp"

#include <pthread.h>
#include <unistd.h>

#include <utility>

#include "cli/terminal/window_size.hpp"

namespace berth::cli {

namespace {

/// Whether the signal is ignored, for example by nohup(1).
bool is_ignored(int signal) {
  struct sigaction action {};
  return ::sigaction(signal, nullptr, &action) == 0 && action.sa_handler == SIG_IGN;
}

}  // namespace

SignalWatch::SignalWatch(std::function<void()> pause, std::function<void()> resume)
    : pause_(std::move(pause)), resume_(std::move(resume)) {
  ::signal(SIGPIPE, SIG_IGN);
  sigemptyset(&further_);
  for (const int signal : {SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2, SIGWINCH}) {
    if (!is_ignored(signal)) {
      sigaddset(&further_, signal);
    }
  }
  sigemptyset(&own_);
  for (const int signal : {SIGINT, SIGTERM, SIGTSTP, SIGRTMIN}) {
    sigaddset(&own_, signal);
  }
  pthread_sigmask(SIG_BLOCK, &own_, nullptr);
  pthread_sigmask(SIG_BLOCK, &further_, nullptr);  // the thread inherits the mask
  sigorset(&own_, &own_, &further_);
  thread_ = std::thread([this] { watch(); });
  pthread_sigmask(SIG_UNBLOCK, &further_, nullptr);
}

SignalWatch::~SignalWatch() {
  {
    const std::scoped_lock lock(mutex_);
    ending_ = true;
  }
  pthread_kill(thread_.native_handle(), SIGRTMIN);
  thread_.join();
}

void SignalWatch::forward_to(pid_t pid) {
  pthread_sigmask(SIG_BLOCK, &further_, nullptr);  // they stay blocked, so that cleanup is not interrupted
  const std::scoped_lock lock(mutex_);
  receiver_ = pid;
  if (pid > 0 && early_ != 0) {
    ::kill(pid, early_);
  }
}

void SignalWatch::watch() {
  siginfo_t info{};
  while (true) {
    if (sigwaitinfo(&own_, &info) < 0) {
      continue;  // EINTR: a debugger
    }
    const std::scoped_lock lock(mutex_);
    if (ending_) {
      return;
    }
    take(info);
  }
}

void SignalWatch::take(const siginfo_t& info) {
  if (info.si_signo == SIGRTMIN) {
    return;
  }
  if (info.si_signo == SIGTSTP) {
    stop_process();
  } else if (info.si_signo == SIGWINCH) {
    give_window_size(receiver_);
  } else if (receiver_ <= 0) {
    early_ = info.si_signo;
    stop_.request_stop();
  } else if (info.si_code != SI_KERNEL) {
    ::kill(receiver_, info.si_signo);
  }
}

/// Unblocks the signal in this thread alone, where its default action stops the whole process.
void SignalWatch::stop_process() {
  sigset_t stop;
  sigemptyset(&stop);
  sigaddset(&stop, SIGTSTP);
  pause_();
  ::kill(::getpid(), SIGTSTP);
  pthread_sigmask(SIG_UNBLOCK, &stop, nullptr);
  pthread_sigmask(SIG_BLOCK, &stop, nullptr);
  resume_();
}

}  // namespace berth::cli
