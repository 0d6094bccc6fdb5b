// SPDX-License-Identifier: LGPL-2.1-or-later
// Runs work in a child process and counts its system calls. Chosen calls fail or kill the process.
#pragma once

#include <cerrno>
#include <cstddef>
#include <functional>
#include <limits>
#include <string>

namespace berth::test {

/// The calls of the main thread that are counted.
enum class Calls {
  allocating,  ///< calls that need disk space: they create files, directories, links and names, or write
  changing,    ///< allocating calls, renames, removals, changes of modes and owners, and syncs
  resolving    ///< only openat2(2), which opens a path below a directory
};

/// `count` calls from call `from` on, counted from 1, fail with `error`; none when `from` is 0.
struct Faults {
  Calls which = Calls::changing;
  std::size_t from = 0;
  std::size_t count = std::numeric_limits<std::size_t>::max();
  int error = ENOSPC;  ///< 0 sends SIGKILL instead
};

struct FaultyRun {
  bool killed = false;
  bool failed = false;    ///< the work threw an exception
  std::string error;      ///< the message of the exception
  std::size_t calls = 0;  ///< number of counted calls
};

/// @param work must not use standard output
FaultyRun run_with_faults(const Faults& faults, const std::function<void()>& work);

}  // namespace berth::test
