#include "cli/terminal/signals.hpp"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <thread>

namespace berth::cli {
namespace {

using namespace std::chrono_literals;

bool waits_for_stop(const std::stop_token& token) {
  for (int turn = 0; turn < 6000 && !token.stop_requested(); ++turn) {
    std::this_thread::sleep_for(10ms);
  }
  return token.stop_requested();
}

/// A process that is terminated by the first signal it receives.
pid_t sleeping_child() {
  const pid_t pid = ::fork();
  if (pid == 0) {
    sigset_t none;
    sigemptyset(&none);
    ::sigprocmask(SIG_SETMASK, &none, nullptr);
    ::pause();
    ::_exit(0);
  }
  return pid;
}

/// Shell scripts ignore these signals in background jobs, and programs inherit that.
class SignalWatchTest : public ::testing::Test {
 protected:
  SignalWatchTest() {
    for (const int signal : {SIGINT, SIGQUIT, SIGHUP}) {
      ::signal(signal, SIG_DFL);
    }
  }
};

TEST_F(SignalWatchTest, TurnsAnInterruptIntoAStopRequest) {
  SignalWatch watch([] {}, [] {});
  EXPECT_FALSE(watch.token().stop_requested());
  ::kill(::getpid(), SIGTERM);
  EXPECT_TRUE(waits_for_stop(watch.token()));
}

TEST_F(SignalWatchTest, ForwardsSignalsToAProgramUntilItEnds) {
  SignalWatch watch([] {}, [] {});
  for (const int signal : {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2}) {
    const pid_t child = sleeping_child();
    watch.forward_to(child);
    ::kill(::getpid(), signal);
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    EXPECT_TRUE(WIFSIGNALED(status)) << signal;
    EXPECT_EQ(WTERMSIG(status), signal);
    watch.forward_to(0);
  }
  EXPECT_FALSE(watch.token().stop_requested());
  ::kill(::getpid(), SIGHUP);
  EXPECT_TRUE(waits_for_stop(watch.token()));
}

TEST_F(SignalWatchTest, ForwardsASignalThatArrivesWhileTheProgramStarts) {
  SignalWatch watch([] {}, [] {});
  const pid_t child = sleeping_child();
  ::kill(::getpid(), SIGTERM);
  ASSERT_TRUE(waits_for_stop(watch.token()));
  watch.forward_to(child);
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM) << status;
}

TEST_F(SignalWatchTest, IgnoresItsOwnSignalFromOtherProcesses) {
  SignalWatch watch([] {}, [] {});
  ::kill(::getpid(), SIGRTMIN);
  std::this_thread::sleep_for(20ms);
  ::kill(::getpid(), SIGINT);
  EXPECT_TRUE(waits_for_stop(watch.token()));
}

}  // namespace
}  // namespace berth::cli
