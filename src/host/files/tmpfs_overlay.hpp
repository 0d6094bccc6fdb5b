// A writable layer in memory over a root file system, for one program only.
#pragma once

#include <string>

namespace berth::host {

/// Moves the calling thread, and what it starts, into a mount namespace of its own, in which `folder`/rootfs has an
/// empty layer in memory (tmpfs, half of the memory at most) over it: it can be written, and the checkout below stays
/// as it is. All of it is gone with the last process of the namespace. The thread's working directory becomes `folder`.
/// @param folder absolute; gets the empty folder `scratch`. @throws Error
void lay_scratch_over_rootfs(const std::string& folder);

}  // namespace berth::host
