// SPDX-License-Identifier: LGPL-2.1-or-later
// Mount points in a root file system that the runtime cannot write to.
#pragma once

#include "base/json_fwd.hpp"

namespace berth::ops {

/// Creates the working directory and missing mount points: empty directories, or empty files where a file is bound.
/// Mount points below an earlier mount, or behind a symbolic link, are left to the runtime.
/// @param root descriptor of the host's root, for the sources of binds
/// @param rootfs descriptor of the container's root file system. @param config a checked config.json
void make_mount_points(int root, int rootfs, const base::Json& config);

}  // namespace berth::ops
