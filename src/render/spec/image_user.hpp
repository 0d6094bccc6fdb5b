// SPDX-License-Identifier: LGPL-2.1-or-later
// The user of an image, resolved against the image's own passwd and group, never the host's.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace berth::render {

struct ImageUser {
  std::uint32_t uid = 0;
  std::uint32_t gid = 0;
  std::vector<std::uint32_t> additional_gids;  ///< from /etc/group, ascending, without gid
  std::string home;                            ///< empty when passwd does not list the user
};

/// Resolves `User` of an OCI image configuration: `user[:group]`, each part a name or a number, names first.
/// A number without a passwd line is used as it is, with group 0; an empty group is the user's primary one.
/// @param passwd text of /etc/passwd, may be empty; invalid lines are skipped (passwd(5))
/// @param group text of /etc/group, may be empty
/// @throws Error(failed) for a name that does not exist or a number over 4294967294
ImageUser resolve_user(std::string_view user, std::string_view passwd, std::string_view group);

}  // namespace berth::render
