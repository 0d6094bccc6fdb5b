// SPDX-License-Identifier: LGPL-2.1-or-later
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
  std::optional<std::vector<std::string>> environment;  ///< `K=V`; nullopt: that of this process
  std::string input;                                    ///< standard input of the program
  std::stop_token stop;  ///< a request ends the child with SIGTERM, then throws Interrupted
};

/// Runs argv[0] (a path, or a name that is looked up in the standard directories and then in the absolute directories
/// of PATH) with no other descriptors than 0, 1 and 2 and with the default signal mask, and waits for its end.
/// @throws Error(not_found) when the program does not exist
ProcessResult run_process(const std::vector<std::string>& argv, const ProcessOptions& options = {});

/// As run_process; an exit code other than 0 is an Error(failed) quoting the last lines of standard error.
ProcessResult run_checked(const std::vector<std::string>& argv, const ProcessOptions& options = {});

struct AttachedOptions {
  std::array<int, 3> standard = {0, 1, 2};  ///< what the program gets as 0, 1 and 2; not owned
  /// Called with the pid when the program runs, and with 0 when it has ended, before the pid can be reused.
  std::function<void(pid_t)> running;
  /// Called in a separate thread, which then starts the program: a change of the thread, such as another mount
  /// namespace, affects only the program.
  std::function<void()> before_start;
};

/// Runs argv[0] with the given descriptors and without a timeout, in the process group of this process, so that it may
/// use the terminal and gets its signals; otherwise as run_process does.
/// @return its exit code; 128 + n when signal n ended it. @throws Error(not_found) when the program does not exist
int run_attached(const std::vector<std::string>& argv, const AttachedOptions& options);

}  // namespace berth::base
