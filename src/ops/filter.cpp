// SPDX-License-Identifier: LGPL-2.1-or-later
#include "ops/filter.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "base/error.hpp"

namespace berth::ops {

Filter parse_filter(const std::string& text, const std::vector<std::string>& keys) {
  const auto equals = text.find('=');
  const auto key = text.substr(0, equals);
  if (equals == std::string::npos || std::find(keys.begin(), keys.end(), key) == keys.end()) {
    throw base::Error(base::ErrorKind::usage,
                      equals == std::string::npos ? fmt::format("the filter '{}' is not of the form KEY=VALUE", text)
                                                  : fmt::format("unknown filter '{}'", key),
                      fmt::format("the keys are: {}", fmt::join(keys, " ")));
  }
  return {key, text.substr(equals + 1)};
}

bool match_all(const std::vector<Filter>& filters, const std::function<std::string(const std::string& key)>& field) {
  return std::all_of(filters.begin(), filters.end(), [&field](const Filter& filter) {
    return field(filter.key).find(filter.value) != std::string::npos;
  });
}

}  // namespace berth::ops
