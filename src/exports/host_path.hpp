// Paths on the host as an image's manifest.json and hostfs name them.
#pragma once

#include <string>
#include <string_view>

namespace berth::exports {

/// `/a/b` from `a//b/`, `/./a/b` and the like. @return absolute; `/` for nothing
/// @throws Error(verification) naming `document` for `..`, NUL and components over 255 bytes
std::string squeezed_path(std::string_view path, std::string_view document);

}  // namespace berth::exports
