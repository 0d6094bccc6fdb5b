// What the terminal can do, and texts for people.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace berth::cli {

/// True when `fd` is a terminal that may show colours: not with NO_COLOR, TERM=dumb or --no-color.
bool wants_color(int fd, bool no_color);

struct TerminalSize {
  unsigned columns = 80;
  unsigned rows = 24;
};

/// Size of the terminal at `fd` at this moment; what is unknown is 80 by 24.
TerminalSize terminal_size(int fd);

/// "1.5 MB", in privileges of 1000.
std::string human_size(std::uint64_t bytes);

/// Columns that a UTF-8 text takes on a terminal: none for a combining character, two for a wide one.
std::size_t columns_of(std::string_view text);

/// The first `columns` columns of a UTF-8 text, with an ellipsis when something was cut. What is not shown as it is
/// (base/shown_text.hpp), line breaks and tabs too, has its stand-in.
std::string fit(std::string_view text, std::size_t columns);

}  // namespace berth::cli
