// Directories that keep other users from files with owners, modes and capabilities of an image.
#pragma once

#include <sys/stat.h>
#include <sys/types.h>

#include <optional>
#include <string_view>

namespace berth::host {

/// Whether others than its owner can enter a directory. Where they cannot, nothing below can be reached by them,
/// whatever its owners and modes are. The bits of an access control list count, for they never exceed those of the
/// group.
[[nodiscard]] bool others_can_enter(const struct stat& status) noexcept;

/// Whether somebody else than root and us can reach the directory `inside`, by its own mode and by those of the
/// directories above it. The root itself does not count: it is open on a system that runs. False for one that does not
/// exist.
[[nodiscard]] bool others_can_reach(int root, std::string_view inside);

/// Makes a directory ours and one that nobody else enters, but for `group`, which may pass (0710).
/// @return whether others could enter before. @throws Error
bool make_private(int directory, std::optional<gid_t> group = std::nullopt);

/// Lets one more group pass through the directory of all deployments. Where another one passes already, everybody may
/// (0711): what is below is private for each. @throws Error
void let_pass(int deployments, gid_t group);

}  // namespace berth::host
