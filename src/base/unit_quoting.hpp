// SPDX-License-Identifier: LGPL-2.1-or-later
// Quoting and escapes in unit files and tmpfiles.d lines: systemd.syntax(7), "Quoting"; extract_first_word() of
// systemd.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace berth::base {

/// The characters that separate words.
inline constexpr std::string_view unit_blanks = " \t\n\r";

/// Whether a backslash begins an escape (EXTRACT_CUNESCAPE) or stands for itself (EXTRACT_RETAIN_ESCAPE).
enum class UnitEscapes { resolve, keep };

/// Takes a word, and the blanks around it, from the front of a text. Quotes may begin within a word.
/// @param rest not blank; undefined after nullopt @return nullopt for an open quote or an invalid escape
std::optional<std::string> take_unit_word(std::string_view& rest, UnitEscapes escapes = UnitEscapes::resolve);

/// All words of a value. @return nullopt for an open quote or an invalid escape
std::optional<std::vector<std::string>> split_unit_words(std::string_view value,
                                                         UnitEscapes escapes = UnitEscapes::resolve);

/// A text with its escapes resolved and the blanks at its front removed. @return nullopt for an invalid escape
std::optional<std::string> unescape_unit_text(std::string_view text);

/// A word for an Exec line: quoted when necessary, `%` and `$` doubled so that systemd expands nothing
/// (systemd.service(5), "Command lines").
std::string quote_unit_word(std::string_view word);

}  // namespace berth::base
