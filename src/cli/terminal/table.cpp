// SPDX-License-Identifier: LGPL-2.1-or-later
#include "cli/terminal/table.hpp"

#include <algorithm>

#include "base/shown_text.hpp"
#include "cli/terminal/output.hpp"
#include "cli/terminal/terminal.hpp"

namespace berth::cli {

namespace {

void print_row(const std::vector<std::string>& row, const std::vector<std::size_t>& widths) {
  std::string line;
  for (std::size_t index = 0; index < row.size(); ++index) {
    line += row[index];
    line += std::string(widths[index] - columns_of(row[index]) + 2, ' ');
  }
  line.erase(line.find_last_not_of(' ') + 1);
  emit("{}\n", line);
}

}  // namespace

void print_table(const std::vector<Column>& columns, const std::vector<std::vector<std::string>>& rows, bool heading,
                 bool truncate) {
  std::vector<std::vector<std::string>> lines;
  if (heading) {
    std::vector<std::string> headings;
    headings.reserve(columns.size());
    for (const auto& column : columns) {
      headings.push_back(column.heading);
    }
    lines.push_back(std::move(headings));
  }
  for (const auto& row : rows) {
    auto& line = lines.emplace_back();
    for (std::size_t index = 0; index < row.size(); ++index) {
      const auto limit = truncate ? columns[index].limit : 0;
      line.push_back(limit != 0 ? fit(row[index], limit) : base::shown_line(row[index]));
    }
  }
  std::vector<std::size_t> widths(columns.size());
  for (const auto& line : lines) {
    for (std::size_t index = 0; index < line.size(); ++index) {
      widths[index] = std::max(widths[index], columns_of(line[index]));
    }
  }
  for (const auto& line : lines) {
    print_row(line, widths);
  }
}

}  // namespace berth::cli
