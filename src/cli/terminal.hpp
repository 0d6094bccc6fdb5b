// What the terminal can do, and texts for people.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace berth::cli {

/// True when `fd` is a terminal that may show colours: not with NO_COLOR, TERM=dumb or --no-color.
bool wants_color(int fd, bool no_color);

/// Columns of the terminal at `fd`; 0 when it is none.
unsigned terminal_width(int fd);

/// "1.5 MB", in powers of 1000.
std::string human_size(std::uint64_t bytes);

/// The first `columns` columns of a UTF-8 text, with an ellipsis when something was cut. Control characters become `?`,
/// so that a name from outside cannot speak to the terminal.
std::string fit(std::string_view text, std::size_t columns);

}  // namespace berth::cli
