#include "cli/signals.hpp"

#include <pthread.h>
#include <unistd.h>

#include <utility>

namespace berth::cli {

SignalWatch::SignalWatch(std::function<void()> pause, std::function<void()> resume)
    : pause_(std::move(pause)), resume_(std::move(resume)) {
  ::signal(SIGPIPE, SIG_IGN);
  sigemptyset(&signals_);
  sigaddset(&signals_, SIGINT);
  sigaddset(&signals_, SIGTERM);
  sigaddset(&signals_, SIGTSTP);
  sigaddset(&signals_, SIGUSR1);
  pthread_sigmask(SIG_BLOCK, &signals_, nullptr);
  thread_ = std::thread([this] { watch(); });
}

SignalWatch::~SignalWatch() {
  pthread_kill(thread_.native_handle(), SIGUSR1);  // tells the thread to end
  thread_.join();
}

void SignalWatch::watch() {
  int signal = 0;
  while (sigwait(&signals_, &signal) == 0 && signal != SIGUSR1) {
    if (signal == SIGTSTP) {
      stop_process();
    } else {
      stop_.request_stop();
    }
  }
}

/// Delivered here and nowhere else, the signal has its default effect on the whole process.
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
