// SPDX-License-Identifier: LGPL-2.1-or-later
// Makes text from outside safe to show: it cannot control the terminal, nor deceive the reader by characters that are
// not visible. Everything that berth prints goes through these functions.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace berth::base {

/// The first character of a text in UTF-8 (RFC 3629).
struct Character {
  std::string_view bytes;  ///< never empty; a single byte where the text is not UTF-8
  char32_t code = 0;       ///< 0 when not valid
  bool valid = false;      ///< the bytes are UTF-8
};

/// @param text not empty
Character first_character(std::string_view text);

/// Whether a character is shown unchanged. Invalid UTF-8, control characters (Unicode's Cc, with tab and line break),
/// and invisible characters that change how the text is read or compared are replaced: overrides and isolates of the
/// writing direction, line and paragraph separators, joiners, fillers, zero-width spaces, tags.
bool is_shown_as_is(const Character& character);

/// The replacement for a character that is not shown unchanged: `<U+202E>` for an invisible one, `?` for others.
std::string stand_in(const Character& character);

/// The text with replacements; line breaks and tabs stay.
std::string shown_text(std::string_view text);

/// As shown_text, on one line: line breaks and tabs become `\n` and `\t`.
std::string shown_line(std::string_view text);

/// A name in quotes, cut off after 200 bytes. Characters that are not shown as themselves, and backslashes, become the
/// `\xNN` of their bytes, so that different names look different.
std::string quoted_name(std::string_view name);

/// The text with each line two columns further to the right, without a line break at its end.
std::string indented(std::string_view text);

/// Where the first control character other than tab and line break is; npos without one. U+0080 to U+009F in UTF-8
/// are control characters, too.
std::size_t find_control(std::string_view text);

/// Names the control character at `at`, for messages: "a carriage return", "the control character U+001B".
std::string control_name(std::string_view text, std::size_t at);

}  // namespace berth::base
