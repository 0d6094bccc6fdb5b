// A writable layer in memory over a root file system, for one program only.
#pragma once

#include <string>

namespace berth::host {

/// Moves the calling thread, and what it starts, into a mount namespace of its own, in which `directory`/rootfs has an
/// empty layer in memory (tmpfs, half of the memory at most) over it: it can be written, and the checkout below stays
/// as it is. All of it is gone with the last process of the namespace. The thread's working directory becomes
/// `directory`.
/// @param directory absolute; gets the empty directory `scratch`. @throws Error
void mount_tmpfs_overlay(const std::string& directory);

}  // namespace berth::host
