// SPDX-License-Identifier: LGPL-2.1-or-later
// Times in lists and JSON.
#pragma once

#include <cstdint>
#include <string>

namespace berth::ops {

/// @return RFC 3339 in UTC, to the second
std::string rfc3339(std::int64_t epoch_seconds);

/// @return `2025-11-03 08:14`, local time
std::string local_minute(std::int64_t epoch_seconds);

}  // namespace berth::ops
