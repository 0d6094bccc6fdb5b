// SPDX-License-Identifier: LGPL-2.1-or-later
#include "base/process.hpp"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sched.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <filesystem>
#include <thread>

#include "base/file.hpp"
#include "base/scope_exit.hpp"
#include "base/temp_directory.hpp"
#include "waiting.hpp"

namespace berth::base {
namespace {

using namespace std::chrono_literals;
using test::error_of;
using test::TempDirectory;
using ::testing::AllOf;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Not;

std::vector<std::string> shell(const std::string& script) {
  return {"/bin/sh", "-c", script};
}

TEST(RunProcess, ReturnsOutputAndExitCode) {
  const ProcessResult result = run_process(shell("echo out; echo err >&2; exit 3"));
  EXPECT_EQ(result.output, "out\n");
  EXPECT_EQ(result.error_output, "err\n");
  EXPECT_EQ(result.exit_code, 3);
}

TEST(RunProcess, PassesArgumentsUnchanged) {
  const ProcessResult result = run_process({"printf", "%s|", "a b", "$HOME", "", "'\"\\"});
  EXPECT_EQ(result.output, "a b|$HOME||'\"\\|");
}

TEST(RunProcess, FindsProgramsInPath) {
  EXPECT_EQ(run_process({"true"}).exit_code, 0);
}

/// A changed environment variable for one test.
class ChangedPath {
 public:
  explicit ChangedPath(const std::string& value) : before_(std::getenv("PATH")) { ::setenv("PATH", value.c_str(), 1); }
  ChangedPath(const ChangedPath&) = delete;
  ChangedPath& operator=(const ChangedPath&) = delete;
  ~ChangedPath() { ::setenv("PATH", before_.c_str(), 1); }

 private:
  std::string before_;
};

TEST(RunProcess, PathCannotHideTheProgramsOfTheSystem) {
  const TempDirectory directory;
  create_file_at(directory.fd(), "true", "#!/bin/sh\nexit 7\n", 0755);
  create_file_at(directory.fd(), "only-here", "#!/bin/sh\nexit 8\n", 0755);
  const ChangedPath path(directory / "");
  EXPECT_EQ(run_process({"true"}).exit_code, 0);
  EXPECT_EQ(run_process({"only-here"}).exit_code, 8) << "but other programs are found there";
}

TEST(RunProcess, RelativeDirectoriesOfPathAreNotSearched) {
  const TempDirectory directory;
  create_file_at(directory.fd(), "only-here", "#!/bin/sh\nexit 8\n", 0755);
  const std::string before = std::filesystem::current_path();
  const ScopeExit back([&before]() noexcept { std::filesystem::current_path(before); });
  std::filesystem::current_path(directory / "");
  for (const char* value : {"", ":", ".", "::.", "/nowhere:"}) {
    const ChangedPath path(value);
    EXPECT_EQ(error_of([] { run_process({"only-here"}); }).kind(), ErrorKind::not_found) << value;
  }
}

TEST(RunProcess, NamesAMissingProgram) {
  for (const char* program : {"/no/such/program", "no-such-program-in-path"}) {
    const Error error = error_of([&] { run_process({program}); });
    EXPECT_EQ(error.kind(), ErrorKind::not_found);
    EXPECT_THAT(error.message(), HasSubstr(program));
  }
  EXPECT_EQ(error_of([] { run_process({"/etc/passwd"}); }).kind(), ErrorKind::not_permitted);
  EXPECT_THROW(run_process({}), Error);
  EXPECT_THROW(run_process({""}), Error);
}

TEST(RunProcess, PassesInput) {
  ProcessOptions options;
  options.input = std::string(300'000, 'x');
  EXPECT_EQ(run_process({"wc", "-c"}, options).output, "300000\n");
  EXPECT_EQ(run_process({"true"}, options).exit_code, 0) << "a child that reads nothing is no problem";
  EXPECT_EQ(run_process({"cat"}).output, "") << "no input is an empty one";
}

TEST(RunProcess, PassesAnEnvironment) {
  ProcessOptions options;
  options.environment = std::vector<std::string>{"A=1", "B=two words"};
  EXPECT_EQ(run_process({"/usr/bin/env"}, options).output, "A=1\nB=two words\n");
  ASSERT_EQ(::setenv("BERTH_TEST_VALUE", "inherited", 1), 0);
  EXPECT_EQ(run_process(shell("echo $BERTH_TEST_VALUE")).output, "inherited\n");
}

TEST(RunProcess, LimitsOutputWithoutBlockingTheChild) {
  const ProcessResult result = run_process(
      shell("head -c 3000000 /dev/zero | tr '\\0' x; (head -c 300000 /dev/zero | tr '\\0' y; echo the end) >&2"));
  EXPECT_EQ(result.exit_code, 0);
  EXPECT_EQ(result.output.size(), 1U << 20U);
  EXPECT_EQ(result.error_output.size(), 64U << 10U);
  EXPECT_THAT(result.error_output, EndsWith("ythe end\n"));
}

TEST(RunProcess, ReportsASignal) {
  EXPECT_EQ(run_process(shell("kill -TERM $$")).exit_code, 128 + SIGTERM);
}

TEST(RunProcess, KillsAProgramThatTimesOut) {
  ProcessOptions options;
  options.timeout = 200ms;
  const auto start = std::chrono::steady_clock::now();
  const Error error = error_of([&] { run_process(shell("trap '' TERM; sleep 60; sleep 60"), options); });
  EXPECT_LT(std::chrono::steady_clock::now() - start, 50s);
  EXPECT_EQ(error.kind(), ErrorKind::failed);
  EXPECT_THAT(error.message(), AllOf(HasSubstr("/bin/sh"), HasSubstr("0.2 s")));
}

TEST(RunProcess, StopsOnRequest) {
  const TempDirectory directory;
  std::stop_source stop;
  ProcessOptions options;
  options.stop = stop.get_token();
  const std::jthread stopper([&] {
    EXPECT_TRUE(berth::test::wait_until("the child has created the file `ready`",
                                        [&] { return stat_at(directory.fd(), "ready").has_value(); }));
    stop.request_stop();
  });
  const std::string script = "trap ': > \"$0/stopped\"; exit 0' TERM; : > \"$0/ready\"; sleep 60 & wait";
  const std::vector<std::string> command = {"/bin/sh", "-c", script, directory / "."};
  EXPECT_THROW(run_process(command, options), Interrupted);
  EXPECT_TRUE(stat_at(directory.fd(), "stopped")) << "SIGTERM lets the child clean up";
}

TEST(RunProcess, DoesNotStartAfterARequest) {
  std::stop_source stop;
  stop.request_stop();
  ProcessOptions options;
  options.stop = stop.get_token();
  EXPECT_THROW(run_process({"true"}, options), Interrupted);
}

TEST(RunProcess, DoesNotWaitForProcessesThatTheChildLeaves) {
  const auto start = std::chrono::steady_clock::now();
  const ProcessResult result = run_process(shell("echo early; sleep 60 & exit 0"));
  EXPECT_EQ(result.output, "early\n");
  EXPECT_LT(std::chrono::steady_clock::now() - start, 50s);
}

TEST(RunProcess, PassesOnlyThreeDescriptors) {
  // Without O_CLOEXEC, as a careless library would open it; far up, away from what the shell opens itself.
  const Fd leaked(::fcntl(STDERR_FILENO, F_DUPFD, 100));
  ASSERT_TRUE(leaked);
  const std::string script = "for fd in 0 1 2 " + std::to_string(leaked.get()) + R"(; do
    test -e /proc/$$/fd/$fd && echo $fd; done; true)";
  EXPECT_EQ(run_process(shell(script)).output, "0\n1\n2\n");
}

TEST(RunProcess, WorksWithoutStandardDescriptors) {
  const int saved = ::fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 10);
  ::close(STDIN_FILENO);
  ProcessOptions options;
  options.input = "text";
  const ProcessResult result = run_process({"cat"}, options);
  if (saved >= 0) {
    ::dup2(saved, STDIN_FILENO);
    ::close(saved);
  }
  EXPECT_EQ(result.output, "text");
}

TEST(RunProcess, ResetsSignals) {
  sigset_t blocked;
  sigset_t before;
  sigemptyset(&blocked);
  sigaddset(&blocked, SIGTERM);
  sigaddset(&blocked, SIGINT);
  ASSERT_EQ(::pthread_sigmask(SIG_BLOCK, &blocked, &before), 0);
  const auto old_pipe = ::signal(SIGPIPE, SIG_IGN);
  const ScopeExit restore([&]() noexcept {
    ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
    ::signal(SIGPIPE, old_pipe);
  });
  const std::string status = run_process({"cat", "/proc/self/status"}).output;
  EXPECT_THAT(status, HasSubstr("SigBlk:\t0000000000000000"));
  const std::uint64_t ignored = std::stoull(status.substr(status.find("SigIgn:") + 8, 16), nullptr, 16);
  const std::uint64_t of_libc = 3ULL << 31U;  // 32 and 33, which the C library keeps for its threads
  EXPECT_EQ(ignored & ~of_libc, 0U);
}

TEST(RunChecked, PassesSuccess) {
  EXPECT_EQ(run_checked({"echo", "fine"}).output, "fine\n");
}

TEST(RunChecked, QuotesTheLastLines) {
  const Error error = error_of([] {
    run_checked(shell("for n in 1 2 3 4; do echo line $n >&2; done; printf 'red \\033[31m\\n\\n' >&2; exit 9"));
  });
  EXPECT_EQ(error.kind(), ErrorKind::failed);
  EXPECT_THAT(error.message(), AllOf(HasSubstr("/bin/sh exited with status 9"), HasSubstr("line 3; line 4; red ?[31m"),
                                     Not(HasSubstr("line 2"))));
  EXPECT_THAT(error_of([] { run_checked({"false"}); }).message(), EndsWith("status 1"));
}

TEST(RunAttached, UsesTheGivenDescriptorsAndReturnsTheExitCode) {
  std::array<int, 2> ends{};
  ASSERT_EQ(::pipe2(ends.data(), O_CLOEXEC), 0);
  const Fd from(ends[0]);
  const Fd to(ends[1]);
  AttachedOptions options;
  options.standard = {0, to.get(), 2};
  std::vector<pid_t> seen;
  options.running = [&seen](pid_t pid) { seen.push_back(pid); };
  EXPECT_EQ(run_attached(shell("echo $$; exit 7"), options), 7);
  std::array<char, 64> answer{};
  ASSERT_GT(::read(from.get(), answer.data(), answer.size() - 1), 0);
  ASSERT_EQ(seen.size(), 2U);
  EXPECT_EQ(std::stoi(answer.data()), seen.front());
  EXPECT_EQ(seen.back(), 0);
}

TEST(RunAttached, ReturnsOneHundredTwentyEightPlusTheSignal) {
  AttachedOptions options;
  options.running = [](pid_t pid) {
    if (pid > 0) {
      ::kill(pid, SIGTERM);
    }
  };
  EXPECT_EQ(run_attached({"sleep", "1000"}, options), 128 + SIGTERM);
}

TEST(RunAttached, StaysInTheProcessGroupOfTheTerminal) {
  AttachedOptions options;
  pid_t group = 0;
  options.running = [&group](pid_t pid) { group = pid > 0 ? ::getpgid(pid) : group; };
  EXPECT_EQ(run_attached({"sleep", "0.1"}, options), 0);
  EXPECT_EQ(group, ::getpgrp());
}

TEST(RunAttached, ChangesBeforeTheStartAffectOnlyTheProgram) {
  const TempDirectory directory;
  AttachedOptions options;
  options.before_start = [&directory] {
    check_errno(::unshare(CLONE_FS), "leave our working directory");
    check_errno(::chdir((directory / ".").c_str()), "change it");
  };
  const auto here = std::filesystem::current_path();
  EXPECT_EQ(run_attached(shell("touch made-here"), options), 0);
  EXPECT_TRUE(std::filesystem::exists(directory / "made-here"));
  EXPECT_EQ(std::filesystem::current_path(), here);
}

TEST(RunAttached, ThrowsAFailureBeforeTheStart) {
  AttachedOptions options;
  options.before_start = [] { throw Error(ErrorKind::conflict, "not now"); };
  EXPECT_EQ(error_of([&] { run_attached({"true"}, options); }).message(), "not now");
  EXPECT_EQ(error_of([] { run_attached({"/nowhere/at/all"}, {}); }).kind(), ErrorKind::not_found);
}

}  // namespace
}  // namespace berth::base
