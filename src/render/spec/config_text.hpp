// SPDX-License-Identifier: LGPL-2.1-or-later
// Changes to the text of config.json that keep its layout.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace berth::render {

/// Inserts `"cgroupsPath": "PATH"` as the first member of the top-level object `linux`, indented as its neighbour.
/// Without a member `linux`, one with only this member becomes the first member of the document.
/// @param text valid JSON whose `linux`, if present, has no cgroupsPath
/// @return nullopt when `linux` or the document is not an object
std::optional<std::string> insert_cgroups_path(std::string_view text, const std::string& path);

/// Replaces the string `linux.cgroupsPath` and changes nothing else.
/// @param text valid JSON
/// @return nullopt without such a member
std::optional<std::string> replace_cgroups_path(std::string_view text, const std::string& path);

}  // namespace berth::render
