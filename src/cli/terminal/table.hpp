// SPDX-License-Identifier: LGPL-2.1-or-later
// Tables on standard output.
#pragma once

#include <string>
#include <vector>

namespace berth::cli {

/// How many hex digits of an id a table shows.
inline constexpr std::size_t id_digits = 12;

struct Column {
  std::string heading;
  std::size_t limit = 0;  ///< maximum width; 0: unlimited
};

/// Prints rows in aligned columns. @param truncate false: ignore the limits
void print_table(const std::vector<Column>& columns, const std::vector<std::vector<std::string>>& rows, bool heading,
                 bool truncate);

}  // namespace berth::cli
