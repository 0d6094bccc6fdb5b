// Work in a process of its own, whose system calls are counted and fail, or end it, where a test wants it.
#pragma once

#include <cerrno>
#include <cstddef>
#include <functional>
#include <limits>
#include <string>

namespace berth::test {

/// Which calls of the process's main thread are counted.
enum class Calls {
  allocating,  ///< those that need room on a disk: new files, directories, links and names, and what is written
  changing,    ///< these, and renames, removals, modes, owners and syncs
  resolving    ///< those that open a path within bounds (openat2(2)), and no other
};

/// Call `from`, counted from 1, and `count` in all fail with `error`. None for `from` 0.
struct Faults {
  Calls which = Calls::changing;
  std::size_t from = 0;
  std::size_t count = std::numeric_limits<std::size_t>::max();
  int error = ENOSPC;  ///< 0: SIGKILL in place of the call
};

struct FaultyRun {
  bool killed = false;
  bool failed = false;    ///< the work threw
  std::string error;      ///< what it threw
  std::size_t calls = 0;  ///< that were counted
};

/// @param work must not use standard output
FaultyRun run_with_faults(const Faults& faults, const std::function<void()>& work);

}  // namespace berth::test
