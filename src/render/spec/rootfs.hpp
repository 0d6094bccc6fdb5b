// SPDX-License-Identifier: LGPL-2.1-or-later
// Lookups in the root file system of an image, as a process in the container would see it.
#pragma once

#include <sys/stat.h>

#include <optional>
#include <string_view>

#include "render/spec/image_user.hpp"

namespace berth::render {

/// Status of `path`, with links followed inside the image; nullopt when it does not exist.
/// @param rootfs descriptor of the root file system
std::optional<struct stat> stat_in_root(int rootfs, std::string_view path);

/// Calls resolve_user with passwd and group of the image. @throws Error
ImageUser user_of_image(std::string_view user, int rootfs);

}  // namespace berth::render
