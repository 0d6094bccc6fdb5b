// SPDX-License-Identifier: LGPL-2.1-or-later
// Differences between two texts, or two sets of texts.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace berth::base {

/// The differing lines with three lines of context each, in the format of `diff -u` without its two header lines.
/// @return empty for equal texts; for texts of too many lines one line that says that they differ
std::string unified_diff(std::string_view before, std::string_view after);

/// The entries that are in only one of two lists, in the order of their list.
struct SetDifference {
  std::vector<std::string> added;
  std::vector<std::string> removed;
  [[nodiscard]] bool empty() const { return added.empty() && removed.empty(); }
};
SetDifference difference(const std::vector<std::string>& before, const std::vector<std::string>& after);

}  // namespace berth::base
