// Points in time as people write them.
#pragma once

#include <cstdint>
#include <string>

namespace berth::cli {

/// Understands `2025-11-03`, `2025-11-03 08:14[:52]` (local time; with a `Z` behind it UTC), `08:14[:52]` of today,
/// `now`, `today`, `yesterday`, `@SECONDS` since the epoch, and spans before now such as `90s`, `10min`, `1h30m`, `2d`,
/// with or without `-` before or `ago` behind.
/// @param now seconds since the epoch. @return seconds since the epoch. @throws Error(usage) naming `text`
std::int64_t parse_time_spec(const std::string& text, std::int64_t now);

/// `2025-11-03 08:14`, local time.
std::string local_minute(std::int64_t epoch_seconds);

}  // namespace berth::cli
