// Texts of an image as systemd, berth and people read them: the same lines, and nothing that is not seen.
#pragma once

#include <cstddef>
#include <string_view>

#include "base/json.hpp"

namespace berth::render {

/// Line and column, both from 1, columns in bytes.
struct Position {
  std::size_t line = 1;
  std::size_t column = 1;
};
Position position_of(std::string_view text, std::size_t offset);

/// Where a byte order mark begins a line, npos without one: systemd drops the first such mark of a unit and reads what
/// is behind it, wherever that line is.
std::size_t find_byte_order_mark(std::string_view text);

/// Refuses control characters other than tab and line break, and byte order marks: what is shown of a text must be what
/// is read of it, and systemd ends lines at carriage returns, too. @param shown name of the text, for messages
/// @throws Error(verification) naming the line and the character
void refuse_control_characters(std::string_view text, std::string_view shown);

/// The same for every key and every string of a document. @throws Error(verification) naming the key
void refuse_control_characters(const base::JsonView& document);

/// Takes the first line from the front of `text`, as systemd reads lines (read_line() of systemd 252): each ends at a
/// line feed, a carriage return, both in either order, or a NUL.
/// @param end set to how many bytes end the line; 0 at the end of the text
/// @return the line without its end
std::string_view take_line(std::string_view& text, std::size_t* end = nullptr);

}  // namespace berth::render
