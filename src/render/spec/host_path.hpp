// Paths on the host as texts of an image name them.
#pragma once

#include <string>
#include <string_view>

namespace berth::render {

/// `/a/b` from `a//b/`, `/./a/b` and the like. @return absolute; `/` for nothing
/// @throws Error(verification) naming `document` for `..`, NUL and components over 255 bytes
std::string squeezed_path(std::string_view path, std::string_view document);

/// A path without slashes at its end; `/` stays.
std::string_view without_slashes(std::string_view path);

/// Whether a path is a directory or in it, by its text. @param directory without a slash at its end
bool is_below(std::string_view path, std::string_view directory);

}  // namespace berth::render
