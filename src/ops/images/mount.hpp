// SPDX-License-Identifier: LGPL-2.1-or-later
// berth mount and berth umount: images at directories of the host, read-only. A mount, or the copy that a user gets
// instead, is called a view.
#pragma once

#include <string>
#include <vector>

#include "ops/context.hpp"

namespace berth::ops {

/// Mounts a new checkout of an image read-only, nosuid and nodev. A record in .mounts keeps the commit in use. A reboot
/// removes the mount, and the next prune the checkout. In user mode, the files are copied into the directory, which
/// must be empty.
/// @param image name of an image or container, or beginning of an ID
/// @param directory an existing directory
/// @throws Error(not_found), Error(conflict) when an image is already mounted there
void mount_view(Context& context, const std::string& image, const std::string& directory);

/// Unmounts the image at `directory`, or removes the copy there, with all changes.
/// @throws Error(not_found) when no image is mounted there, Error(conflict) when it is in use
void unmount_view(Context& context, const std::string& directory);

/// @return directories of views that are not mounted in any mount namespace that this process can see
std::vector<std::string> stale_mounts(const Context& context);
/// Removes stale views. The caller holds the exclusive lock of the repository; a command that is about to mount a view
/// holds the shared lock.
void remove_stale_mounts(const Context& context);

}  // namespace berth::ops
