// Text from outside made fit to be read by people: the one place that knows what a terminal, or a reader's eye, could
// be deceived with.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace berth::base {

/// A character at the front of a text, as UTF-8 (RFC 3629) has it.
struct Character {
  std::string_view bytes;  ///< never empty; one byte of what is no UTF-8
  char32_t code = 0;       ///< 0 when it is no UTF-8
  bool valid = false;      ///< it is UTF-8
};

/// @param text not empty
Character first_character(std::string_view text);

/// Whether a character is shown as itself. It is not when it is no UTF-8, a control character (Unicode's Cc, tab and
/// line break included), or one that nobody sees although it changes how others are read or compared: overrides and
/// isolates of the writing direction, line and paragraph separators, joiners, fillers and blanks without a width, tags.
bool is_shown_as_is(const Character& character);

/// What stands for a character that is not shown as itself: `<U+202E>` for an invisible one, since texts that take
/// effect may hold it, and `?` for the others.
std::string stand_in(const Character& character);

/// A whole text, line breaks and tabs kept, with stand-ins.
std::string shown_text(std::string_view text);

/// A text on one line: as shown_text, with `\n` and `\t` for line breaks and tabs.
std::string shown_line(std::string_view text);

/// Where the first control character other than tab and line break is; npos without one. U+0080 to U+009F in UTF-8
/// are control characters, too.
std::size_t find_control(std::string_view text);

/// Names the control character at `at`, for messages: "a carriage return", "the control character U+001B".
std::string control_name(std::string_view text, std::size_t at);

}  // namespace berth::base
