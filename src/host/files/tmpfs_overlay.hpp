// SPDX-License-Identifier: LGPL-2.1-or-later
// A writable overlay in memory over a root file system, visible to one program only.
#pragma once

#include <string>

namespace berth::host {

/// Moves the calling thread and its children into a new mount namespace, in which an overlay in memory (tmpfs, at most
/// half of the memory) makes `directory`/rootfs writable without changing the checkout. The kernel removes it with the
/// last process of the namespace. The working directory of the thread becomes `directory`.
/// @param directory absolute; gets the empty directory `scratch`. @throws Error
void mount_tmpfs_overlay(const std::string& directory);

}  // namespace berth::host
