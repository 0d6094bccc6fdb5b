// SPDX-License-Identifier: LGPL-2.1-or-later
#include "ops/timestamp.hpp"

#include <fmt/chrono.h>

#include <ctime>

namespace berth::ops {

std::string rfc3339(std::int64_t epoch_seconds) {
  const auto time = static_cast<std::time_t>(epoch_seconds);
  return fmt::format("{:%Y-%m-%dT%H:%M:%SZ}", fmt::gmtime(time));
}

std::string local_minute(std::int64_t epoch_seconds) {
  return fmt::format("{:%Y-%m-%d %H:%M}", fmt::localtime(static_cast<std::time_t>(epoch_seconds)));
}

}  // namespace berth::ops
