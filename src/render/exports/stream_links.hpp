// Files of an image that are links to the standard streams of whoever opens them.
#pragma once

#include <string>
#include <vector>

namespace berth::render {

/// Links of an image that lead to /dev/stdout or /dev/stderr, absolute, in the order of their directories, ten at most.
/// Images made for other engines log through them. They cannot be opened where the stream is a socket, as the
/// journal's is (open(2), ENXIO). /dev, /proc, /sys and the directories of libraries are left out, and no more
/// than about 200,000 entries are looked at.
/// @param rootfs descriptor of the image's root file system
std::vector<std::string> stream_links(int rootfs);

}  // namespace berth::render
