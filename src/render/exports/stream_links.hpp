// SPDX-License-Identifier: LGPL-2.1-or-later
// Links of an image that lead to the standard streams of the process that opens them.
#pragma once

#include <string>
#include <vector>

namespace berth::render {

/// Finds links of an image to /dev/stdout or /dev/stderr, which images for other engines use for logging. Such a link
/// cannot be opened where the stream is a socket, as that of the journal is (open(2), ENXIO). /dev, /proc, /sys and the
/// library directories are skipped, and at most about 200,000 entries are checked.
/// @param rootfs descriptor of the image's root file system
/// @return absolute paths, at most ten, in the order of their directories
std::vector<std::string> stream_links(int rootfs);

}  // namespace berth::render
