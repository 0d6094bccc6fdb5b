// SPDX-License-Identifier: LGPL-2.1-or-later
// Host paths whose contents control programs run by root, and paths where containers keep their state.
#pragma once

#include <string>
#include <string_view>

namespace berth::render {

/// Normalizes a path lexically: collapses slashes, resolves `.` and `..`, and replaces /var/run by /run.
/// @param path absolute @return without a trailing slash
std::string normalized_host_path(std::string_view path);

/// Whether programs run by root take configuration or code from the path.
/// @param path absolute; a directory with a trailing slash
bool is_sensitive_path(std::string_view path);

/// Whether the directory is a sensitive path, is below one, or contains one. @param directory absolute
bool reaches_sensitive_path(std::string_view directory);

/// Whether only systemd can expand the path.
bool has_specifier(std::string_view path);

/// Whether a component is `..`.
bool goes_up(std::string_view path);

/// Whether a container may keep its state there: below /run, /srv, /tmp or /var, and not a sensitive path.
/// @param path as systemd reads it; a path with a specifier is not accepted, since its target is unknown
bool is_state_path(std::string_view path);

/// Whether every Linux host with systemd has this path.
bool is_usual_host_path(std::string_view path);

}  // namespace berth::render
