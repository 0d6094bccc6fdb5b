// Questions about the root file system of an image, answered as for a process in the container.
#pragma once

#include <sys/stat.h>

#include <optional>
#include <string_view>

#include "render/spec/image_user.hpp"

namespace berth::render {

/// What is at `path`, its links followed inside the image; nullopt when nothing is.
/// @param rootfs descriptor of the root file system
std::optional<struct stat> stat_in_root(int rootfs, std::string_view path);

/// resolve_user with passwd and group of the image. @throws Error
ImageUser user_of_image(std::string_view user, int rootfs);

}  // namespace berth::render
