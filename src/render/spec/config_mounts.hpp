// SPDX-License-Identifier: LGPL-2.1-or-later
// The mounts of a configuration: old forms, and what the container has of the host.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/json_fwd.hpp"

namespace berth::render {

/// Converts mounts: bind mounts without `bind`, relative destinations, and, on a host with unified cgroups,
/// mounts made for cgroup v1.
/// @param document checked by check_shape, without nulls
/// @return one message for each kind of conversion
std::vector<std::string> convert_mounts(base::Json& document, bool cgroup_unified);

/// Whether the container has the host's `path` at the same path, according to the last mount that covers it.
/// @param document checked by check_shape, without nulls @param path absolute, without `.` and `..`
bool has_host_path(const base::Json& document, std::string_view path);

}  // namespace berth::render
