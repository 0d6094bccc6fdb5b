// Places on a host: what programs of root obey, and where containers keep their state.
#pragma once

#include <string>
#include <string_view>

namespace berth::render {

/// A path as its text says it: without doubled slashes, `.` and `..`, and below /run what is below /var/run.
/// @param path absolute @return without a slash at its end
std::string plain_place(std::string_view path);

/// Whether programs of root look there for what to do. @param path absolute; a directory with a slash at its end
bool is_obeyed_place(std::string_view path);

/// Whether the directory is, is in, or holds a place that programs of root obey. @param directory absolute
bool reaches_obeyed_place(std::string_view directory);

/// Whether containers keep their state in such a place, and programs of root do not obey what is there: below /run,
/// /srv, /tmp or /var. @param path as systemd will read it; with a specifier in it nobody knows where it leads
bool is_state_place(std::string_view path);

/// Whether every Linux host with systemd has this path.
bool is_usual_host_path(std::string_view path);

}  // namespace berth::render
