// SPDX-License-Identifier: LGPL-2.1-or-later
// Checks that a text of an image reads the same for systemd, for berth and on a terminal.
#pragma once

#include <cstddef>
#include <string_view>

#include "base/json_fwd.hpp"

namespace berth::render {

/// Line and column, both from 1, columns in bytes.
struct Position {
  std::size_t line = 1;
  std::size_t column = 1;
};
Position position_of(std::string_view text, std::size_t offset);

/// Line, from 1, of the first occurrence of `text` in `document`; 0 without one, and for an empty `text`.
std::size_t line_of(std::string_view document, std::string_view text);

/// Offset of a byte order mark at the beginning of a line; npos without one. systemd drops the first such mark of a
/// unit on whatever line, and reads the rest of the line.
std::size_t find_byte_order_mark(std::string_view text);

/// Refuses control characters other than tab and line feed, and byte order marks: a text must be shown exactly as it is
/// read, and systemd also ends lines at carriage returns. @param shown name of the text, for messages
/// @throws Error(verification) naming the line and the character
void refuse_control_characters(std::string_view text, std::string_view shown);

/// The same for every key and every string of a document. @throws Error(verification) naming the key
void refuse_control_characters(const base::JsonView& document);

}  // namespace berth::render
