// What a runtime would have to make in a root file system that it cannot write to.
#pragma once

#include "base/json.hpp"

namespace berth::ops {

/// Makes the working directory and the places of mounts that the image lacks, as empty directories, and as empty files
/// where a file is bound. Places below a mount that comes before them are left to the runtime, as are those behind a
/// link.
/// @param root descriptor of the host's root, where the sources of binds are
/// @param rootfs descriptor of the container's root file system. @param config a checked config.json
void make_mount_points(int root, int rootfs, const base::Json& config);

}  // namespace berth::ops
