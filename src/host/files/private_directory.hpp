// SPDX-License-Identifier: LGPL-2.1-or-later
// Private directories: they keep other users from files with the owners, modes and capabilities of an image.
#pragma once

#include <sys/stat.h>
#include <sys/types.h>

#include <optional>
#include <string_view>

namespace berth::host {

/// Whether users other than the owner can enter a directory. If not, they can reach nothing below it, whatever its
/// owners and modes are. Access control lists need no check: their entries never exceed the group bits.
[[nodiscard]] bool others_can_enter(const struct stat& status) noexcept;

/// Whether users other than root and the caller can reach the directory `inside`, by its mode and those of its parents.
/// The mode of the root does not count: it is open on a running system. False for a directory that does not exist.
[[nodiscard]] bool others_can_reach(int root, std::string_view inside);

/// Takes the ownership of a directory and closes it to other users, except that `group` may pass through it (0710).
/// @return whether other users could enter it before. @throws Error
bool make_private(int directory, std::optional<gid_t> group = std::nullopt);

/// Lets another group pass through the directory of all deployments. When a different group passes already, all users
/// may (0711): each deployment below is private. @throws Error
void let_pass(int deployments, gid_t group);

}  // namespace berth::host
