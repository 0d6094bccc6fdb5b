#include "cli/signals.hpp"

#include <pthread.h>

namespace berth::cli {

SignalWatch::SignalWatch() {
  ::signal(SIGPIPE, SIG_IGN);
  sigemptyset(&signals_);
  sigaddset(&signals_, SIGINT);
  sigaddset(&signals_, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &signals_, nullptr);
  thread_ = std::thread([this] { watch(); });
}

SignalWatch::~SignalWatch() {
  ending_ = true;
  pthread_kill(thread_.native_handle(), SIGTERM);  // wakes the thread; blocked everywhere else
  thread_.join();
}

void SignalWatch::watch() {
  int signal = 0;
  while (sigwait(&signals_, &signal) == 0 && !ending_) {
    stop_.request_stop();
  }
}

}  // namespace berth::cli
