// config.json as text: changes that keep what the author wrote.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace berth::render {

/// Inserts `"cgroupsPath": "PATH"` as the first member of the top-level object `linux`, indented as its neighbour.
/// Without a member `linux`, one that holds nothing else becomes the first member of the document.
/// @param text valid JSON; `linux`, when there is one, has no cgroupsPath
/// @return nullopt when `linux`, or the document, is no object
std::optional<std::string> insert_cgroups_path(std::string_view text, const std::string& path);

/// Puts another string in the place of `linux.cgroupsPath`, and changes nothing else.
/// @param text valid JSON
/// @return nullopt when there is no such member
std::optional<std::string> replace_cgroups_path(std::string_view text, const std::string& path);

}  // namespace berth::render
