// SPDX-License-Identifier: LGPL-2.1-or-later
// Runs work in a child process that is killed at a step.
#pragma once

#include <sys/wait.h>
#include <unistd.h>

#include <cstddef>
#include <functional>

#include "ops/transaction.hpp"

namespace berth::test {

inline constexpr int killed = 9;
inline constexpr int completed = 0;

/// Runs `work` in a child process that exits before step `kill_at`. @return killed, completed, or another number when
/// it threw or ended by a signal
inline int run_until(std::size_t kill_at, const std::function<void(const ops::StepHook&)>& work) {
  const pid_t child = ::fork();
  if (child == 0) {
    try {
      work([kill_at](std::size_t index) {
        if (index == kill_at) {
          ::_exit(killed);
        }
      });
      ::_exit(completed);
    } catch (...) {
      ::_exit(1);
    }
  }
  int status = 0;
  if (::waitpid(child, &status, 0) != child) {
    return -1;
  }
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

}  // namespace berth::test
