// Running a program to its end, without a shell.
#pragma once

#include <sys/types.h>

#include <array>
#include <chrono>
#include <functional>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

namespace berth::base {

struct ProcessResult {
  int exit_code = 0;         ///< 128 + n when signal n ended it
  std::string output;        ///< standard output, at most 1 MiB
  std::string error_output;  ///< standard error, at most 64 KiB
};

struct ProcessOptions {
  std::chrono::milliseconds timeout{60'000};            ///< then SIGKILL and Error(failed)
  std::optional<std::vector<std::string>> environment;  ///< `K=V`; nullopt inherits ours
  std::string input;                                    ///< given on standard input
  std::stop_token stop;  ///< a request ends the child with SIGTERM, then throws interrupted
};

/// Runs argv[0] (a path, or a name that is looked up in the usual directories of programs and then in the absolute ones
/// of PATH) with no other descriptors than 0, 1 and 2 and with the default signal mask, and waits for its end.
/// @throws Error(not_found) when the program does not exist
ProcessResult run_process(const std::vector<std::string>& argv, const ProcessOptions& options = {});

/// As run_process; an exit code other than 0 is an Error(failed) quoting the last lines of standard error.
ProcessResult run_checked(const std::vector<std::string>& argv, const ProcessOptions& options = {});

struct AttachedOptions {
  std::array<int, 3> standard = {0, 1, 2};  ///< what the program gets as 0, 1 and 2; not owned
  /// Called with its pid when it runs, and with 0 when it has ended, before its pid can become another's.
  std::function<void(pid_t)> running;
  /// Called in a thread of its own, which then starts the program: what it changes of its thread, such as the mount
  /// namespace, is the program's alone.
  std::function<void()> before_start;
};

/// Runs argv[0] on descriptors of ours for as long as it takes, in our process group, so that it may use our terminal
/// and gets the signals that the terminal sends; otherwise as run_process does.
/// @return its exit code; 128 + n when signal n ended it. @throws Error(not_found) when the program does not exist
int run_attached(const std::vector<std::string>& argv, const AttachedOptions& options);

}  // namespace berth::base
