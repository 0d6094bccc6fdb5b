// SPDX-License-Identifier: LGPL-2.1-or-later
// Points in time on the command line.
#pragma once

#include <cstdint>
#include <string>

namespace berth::cli {

/// Parses `2025-11-03`, `2025-11-03 08:14[:52]` (local time; UTC with a trailing `Z`), `08:14[:52]` of today,
/// `now`, `today`, `yesterday`, `@SECONDS` since the epoch, and spans before now such as `90s`, `10min`, `1h30m`, `2d`,
/// with an optional leading `-` or trailing `ago`.
/// @param now seconds since the epoch. @return seconds since the epoch. @throws Error(usage) naming `text`
std::int64_t parse_time_spec(const std::string& text, std::int64_t now);

}  // namespace berth::cli
