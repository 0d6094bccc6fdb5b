// SPDX-License-Identifier: LGPL-2.1-or-later
// Propagates the size of the terminal.
#pragma once

#include <sys/types.h>

namespace berth::cli {

/// Sets the terminals on standard input of the children of `runtime` to the size of the terminal on standard input.
/// crun sends SIGWINCH to the command without changing the size; runc does both, and a repetition is harmless. Does
/// nothing without a terminal or without the process `runtime`.
void give_window_size(pid_t runtime) noexcept;

}  // namespace berth::cli
