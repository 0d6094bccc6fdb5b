// SPDX-License-Identifier: LGPL-2.1-or-later
// Times in image configurations.
#pragma once

#include <cstdint>
#include <string_view>

namespace berth::store {

/// Seconds since the epoch of an RFC 3339 time, without its fraction. Other forms of ISO 8601 that name their zone are
/// accepted, too.
/// @return 0 for other text and for times before 1970: commits of an image must be the same on every machine, so the
///   current time is no fallback
std::int64_t epoch_seconds(std::string_view text);

}  // namespace berth::store
