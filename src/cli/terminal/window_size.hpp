// The size of a terminal, handed on.
#pragma once

#include <sys/types.h>

namespace berth::cli {

/// Gives the terminals that children of `runtime` have as standard input the size of the one on ours. crun tells a
/// command that the size has changed and does not change it; runc does both, and once more does no harm. Does nothing
/// when there is no terminal, or no process `runtime`.
void give_window_size(pid_t runtime) noexcept;

}  // namespace berth::cli
