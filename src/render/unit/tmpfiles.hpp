// SPDX-License-Identifier: LGPL-2.1-or-later
// tmpfiles.d(5) lines that berth writes, and the paths that such lines create.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace berth::render {

/// Escapes a path for tmpfiles.d(5): `%` is doubled, and a path with blanks, quotes or control characters is quoted.
std::string tmpfiles_path(std::string_view path);

/// Lines for bind sources that are missing on the host: `d PATH 0700 UID GID - -`. Sources that are not absolute or
/// contain `..` are skipped, as are kernel file systems (/dev, /proc, /sys), and /etc/resolv.conf and /etc/hosts, since
/// directories of these names would break the host.
/// @param exists whether a host path exists
std::string default_tmpfiles(const std::vector<std::string>& sources, unsigned uid, unsigned gid,
                             const std::function<bool(const std::string&)>& exists);

/// Paths that the lines create, in order. Lines with specifiers or patterns are skipped.
std::vector<std::string> created_tmpfiles_paths(std::string_view lines);

/// Those of created_tmpfiles_paths that do not exist, with their missing parents, outermost first.
std::vector<std::string> missing_tmpfiles_paths(std::string_view lines,
                                                const std::function<bool(const std::string&)>& exists);

}  // namespace berth::render
