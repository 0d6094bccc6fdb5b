// SPDX-License-Identifier: LGPL-2.1-or-later
// Properties of the terminal, and text for it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace berth::cli {

/// Whether `fd` is a terminal on which colours are wanted: not with NO_COLOR, TERM=dumb or --no-color.
bool wants_color(int fd, bool no_color);

struct TerminalSize {
  unsigned columns = 80;
  unsigned rows = 24;
};

/// The current size of the terminal `fd`; 80 by 24 where it is unknown.
TerminalSize terminal_size(int fd);

/// "1.5 MB", with decimal prefixes.
std::string human_size(std::uint64_t bytes);

/// Columns that a UTF-8 text occupies on a terminal: 0 for a combining character, 2 for a wide one.
std::size_t columns_of(std::string_view text);

/// The first `columns` columns of a UTF-8 text, with an ellipsis if it was cut. Unprintable characters, line breaks and
/// tabs are replaced (base/shown_text.hpp).
std::string fit(std::string_view text, std::size_t columns);

}  // namespace berth::cli
