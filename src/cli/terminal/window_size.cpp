// SPDX-License-Identifier: LGPL-2.1-or-later
#include "cli/terminal/window_size.hpp"

#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <exception>
#include <fstream>
#include <string>

#include "base/fd.hpp"

namespace berth::cli {

namespace {

/// Duplicates the descriptor of the process. Opening a path below /proc instead could open any file or device.
base::Fd standard_input_of(pid_t process) {
  const base::Fd watched(static_cast<int>(::syscall(SYS_pidfd_open, process, 0)));
  return base::Fd(watched ? static_cast<int>(::syscall(SYS_pidfd_getfd, watched.get(), STDIN_FILENO, 0)) : -1);
}

}  // namespace

void give_window_size(pid_t runtime) noexcept {
  winsize size{};
  if (runtime <= 0 || ::ioctl(STDIN_FILENO, TIOCGWINSZ, &size) != 0) {
    return;
  }
  try {
    const auto id = std::to_string(runtime);
    std::ifstream children("/proc/" + id + "/task/" + id + "/children");
    for (pid_t child = 0; children >> child;) {
      if (const auto input = standard_input_of(child)) {
        ::ioctl(input.get(), TIOCSWINSZ, &size);
      }
    }
  } catch (const std::exception&) {
    return;  // out of memory: the size is not changed
  }
}

}  // namespace berth::cli
