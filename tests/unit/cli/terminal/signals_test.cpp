// SPDX-License-Identifier: LGPL-2.1-or-later
#include "cli/terminal/signals.hpp"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>

#include "waiting.hpp"

namespace berth::cli {
namespace {

::testing::AssertionResult waits_for_stop(const std::stop_token& token) {
  return test::wait_until("the signal has become a stop request", [&token] { return token.stop_requested(); });
}

/// Whether the watch takes a signal that was sent to this process.
::testing::AssertionResult is_taken(int signal) {
  return test::wait_until("the watch has taken the signal", [signal] {
    sigset_t pending;
    sigemptyset(&pending);
    return ::sigpending(&pending) == 0 && sigismember(&pending, signal) == 0;
  });
}

/// The wait status of a child once it has ended. One that does not end is killed.
int status_of(pid_t child) {
  int status = 0;
  const auto ended =
      test::wait_until("the child has ended", [&] { return ::waitpid(child, &status, WNOHANG) == child; });
  if (!ended) {
    ADD_FAILURE() << ended.message() << "; no signal has reached it";
    ::kill(child, SIGKILL);
    ::waitpid(child, &status, 0);
  }
  return status;
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
    const int status = status_of(child);
    EXPECT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == signal) << "signal " << signal << ", status " << status;
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
  const int status = status_of(child);
  EXPECT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM) << status;
}

TEST_F(SignalWatchTest, IgnoresItsOwnSignalFromOtherProcesses) {
  SignalWatch watch([] {}, [] {});
  for (int count = 0; count < 2; ++count) {  // the watch has handled a signal when it takes the next one
    ::kill(::getpid(), SIGRTMIN);
    ASSERT_TRUE(is_taken(SIGRTMIN));
  }
  EXPECT_FALSE(watch.token().stop_requested());
  ::kill(::getpid(), SIGINT);
  EXPECT_TRUE(waits_for_stop(watch.token()));
}

}  // namespace
}  // namespace berth::cli
