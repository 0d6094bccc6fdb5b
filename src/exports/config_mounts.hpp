// Mounts of old configurations.
#pragma once

#include <string>
#include <vector>

#include "base/json.hpp"

namespace berth::exports {

/// Converts mounts: bind mounts without `bind`, relative destinations, and, on a host with unified cgroups,
/// mounts made for cgroup v1.
/// @param document checked by check_shape, without nulls
/// @return one sentence for each kind of conversion
std::vector<std::string> convert_mounts(base::Json& document, bool cgroup_unified);

}  // namespace berth::exports
