// SPDX-License-Identifier: LGPL-2.1-or-later
#include "base/text_diff.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>

namespace berth::base {

namespace {

constexpr std::size_t context = 3;                           // lines
constexpr std::size_t table_limit = std::size_t{16} << 20U;  // cells of the table; each is four bytes

std::vector<std::string_view> lines_of(std::string_view text) {
  std::vector<std::string_view> lines;
  while (!text.empty()) {
    const auto end = std::min(text.find('\n'), text.size());
    lines.push_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return lines;
}

/// One line of the merged view of both texts.
struct DiffLine {
  char sign = ' ';  ///< ' ' both, '-' only before, '+' only after
  std::string_view text;
  std::size_t before = 0;  ///< lines of each text in front of it
  std::size_t after = 0;
};

using Lines = std::vector<std::string_view>;

/// Lengths of the longest common subsequences of all pairs of ends.
class SubsequenceTable {
 public:
  SubsequenceTable(const Lines& before, const Lines& after)
      : width_(after.size() + 1), cells_((before.size() + 1) * width_) {
    for (std::size_t i = before.size(); i-- > 0;) {
      for (std::size_t j = after.size(); j-- > 0;) {
        cells_[i * width_ + j] = before[i] == after[j] ? at(i + 1, j + 1) + 1 : std::max(at(i + 1, j), at(i, j + 1));
      }
    }
  }
  [[nodiscard]] std::uint32_t at(std::size_t i, std::size_t j) const { return cells_[i * width_ + j]; }

 private:
  std::size_t width_;
  std::vector<std::uint32_t> cells_;
};

std::vector<DiffLine> merged_view(const Lines& before, const Lines& after) {
  const SubsequenceTable common(before, after);
  std::vector<DiffLine> view;
  std::size_t i = 0;
  std::size_t j = 0;
  while (i < before.size() || j < after.size()) {
    if (i < before.size() && j < after.size() && before[i] == after[j]) {
      view.push_back({' ', before[i], i, j});
      ++i;
      ++j;
    } else if (j == after.size() || (i < before.size() && common.at(i + 1, j) >= common.at(i, j + 1))) {
      view.push_back({'-', before[i], i, j});
      ++i;
    } else {
      view.push_back({'+', after[j], i, j});
      ++j;
    }
  }
  return view;
}

/// First and last line that a reader wants to see: changed ones and those near them.
std::vector<bool> shown_lines(const std::vector<DiffLine>& view) {
  std::vector<bool> shown(view.size(), false);
  for (std::size_t at = 0; at < view.size(); ++at) {
    if (view[at].sign != ' ') {
      const auto begin = at - std::min(at, context);
      const auto end = std::min(view.size(), at + context + 1);
      std::fill(shown.begin() + static_cast<std::ptrdiff_t>(begin), shown.begin() + static_cast<std::ptrdiff_t>(end),
                true);
    }
  }
  return shown;
}

std::string hunk(const std::vector<DiffLine>& view, std::size_t begin, std::size_t end) {
  std::string body;
  std::size_t before = 0;
  std::size_t after = 0;
  for (std::size_t at = begin; at < end; ++at) {
    body += fmt::format("{}{}\n", view[at].sign, view[at].text);
    before += view[at].sign != '+' ? 1 : 0;
    after += view[at].sign != '-' ? 1 : 0;
  }
  const auto start = [](std::size_t lines_before, std::size_t count) {
    return count == 0 ? lines_before : lines_before + 1;
  };
  return fmt::format("@@ -{},{} +{},{} @@\n{}", start(view[begin].before, before), before,
                     start(view[begin].after, after), after, body);
}

}  // namespace

std::string unified_diff(std::string_view before, std::string_view after) {
  if (before == after) {
    return {};
  }
  const auto old_lines = lines_of(before);
  const auto new_lines = lines_of(after);
  if ((old_lines.size() + 1) * (new_lines.size() + 1) > table_limit) {
    return "too long to be compared line by line\n";
  }
  const auto view = merged_view(old_lines, new_lines);
  const auto shown = shown_lines(view);
  std::string result;
  for (std::size_t at = 0; at < view.size();) {
    std::size_t end = at;
    while (end < view.size() && shown[end]) {
      ++end;
    }
    if (end > at) {
      result += hunk(view, at, end);
    }
    at = std::max(end, at + 1);
  }
  return result.empty() ? "only the end of the last line differs\n" : result;
}

SetDifference difference(const std::vector<std::string>& before, const std::vector<std::string>& after) {
  const auto without = [](const std::vector<std::string>& list, const std::vector<std::string>& other) {
    std::vector<std::string> result;
    std::copy_if(list.begin(), list.end(), std::back_inserter(result),
                 [&](const std::string& entry) { return std::find(other.begin(), other.end(), entry) == other.end(); });
    return result;
  };
  return {without(after, before), without(before, after)};
}

}  // namespace berth::base
