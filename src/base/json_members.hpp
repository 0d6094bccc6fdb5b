// Parts of large documents.
#pragma once

#include <span>
#include <string_view>

#include "base/json.hpp"

namespace berth::base {

/// As parse_json, but of the top object only the members `wanted` are kept. Others are read and dropped, and reading
/// ends with the last of those wanted: what is behind it may be anything.
/// @param wanted none: all are, as parse_json does it
Json parse_json_members(std::string_view text, std::string_view document, std::span<const std::string_view> wanted);

}  // namespace berth::base
