// SPDX-License-Identifier: LGPL-2.1-or-later
// Filters of the lists of containers and images.
#pragma once

#include <functional>
#include <string>
#include <vector>

namespace berth::ops {

/// KEY=VALUE of --filter.
struct Filter {
  std::string key;
  std::string value;
};

/// @param keys the keys that the list knows
/// @throws Error(usage) without `=`, or for a key that is not in `keys`
Filter parse_filter(const std::string& text, const std::vector<std::string>& keys);

/// Whether all filters match. A filter matches when the field contains its value, as in `atomic`.
/// @param field returns the text of the field that a key names
bool match_all(const std::vector<Filter>& filters, const std::function<std::string(const std::string& key)>& field);

}  // namespace berth::ops
