// Differences between two texts, or two sets of texts.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace berth::ops {

/// The differing lines with three lines of context each, as diff -u shows them, without file names; empty when the
/// texts are the same. Texts of too many lines are only said to differ.
std::string unified_diff(std::string_view before, std::string_view after);

/// What one list has and the other has not, in the lists' order.
struct SetDifference {
  std::vector<std::string> added;
  std::vector<std::string> removed;
  [[nodiscard]] bool empty() const { return added.empty() && removed.empty(); }
};
SetDifference difference(const std::vector<std::string>& before, const std::vector<std::string>& after);

}  // namespace berth::ops
