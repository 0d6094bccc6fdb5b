// Words of a line as systemd takes them apart: extract_first_word() with EXTRACT_UNQUOTE and EXTRACT_CUNESCAPE.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace berth::render {

/// What separates words.
inline constexpr std::string_view systemd_blanks = " \t\n\r";

/// Takes a word, and the blanks around it, from the front of a text: quotes may begin within a word, and backslashes
/// escape. @param rest not blank; undefined after nullopt @return nullopt for an open quote or a bad escape
std::optional<std::string> take_systemd_word(std::string_view& rest);

/// A text with escapes resolved, but for the blanks at its front all of it. @return nullopt for a bad escape
std::optional<std::string> unescaped_systemd_text(std::string_view text);

}  // namespace berth::render
