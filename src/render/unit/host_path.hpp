// SPDX-License-Identifier: LGPL-2.1-or-later
// Host paths that texts of an image contain.
#pragma once

#include <string>
#include <string_view>

namespace berth::render {

/// Normalizes `a//b/`, `/./a/b` and the like to `/a/b`. @return absolute; `/` for an empty path
/// @throws Error(verification) naming `document` for `..`, NUL and components over 255 bytes
std::string squeezed_path(std::string_view path, std::string_view document);

/// Removes trailing slashes; `/` stays.
std::string_view without_slashes(std::string_view path);

/// Whether a path is `directory` or below it, lexically. @param directory without a trailing slash
bool is_below(std::string_view path, std::string_view directory);

}  // namespace berth::render
