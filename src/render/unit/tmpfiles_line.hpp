// SPDX-License-Identifier: LGPL-2.1-or-later
// The lines of tmpfiles.d(5), read as systemd reads them.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "base/unit_syntax.hpp"

namespace berth::render {

/// Replaces each line, without its terminator, by the result of `change`.
template <typename Change>
std::string each_line(std::string_view text, Change change) {
  std::string result;
  result.reserve(text.size());
  while (!text.empty()) {
    std::size_t end = 0;
    const auto line = base::take_line(text, &end);
    result += change(line);
    result.append(line.data() + line.size(), end);
  }
  return result;
}

/// Takes a field from the front of a line, with the blanks before it and its quotes.
std::string_view take_tmpfiles_field(std::string_view& line);

/// The fields of a line, unquoted and unescaped; absent ones are empty.
struct TmpfilesLine {
  std::string type;  ///< letter and modifiers
  std::string path;
  std::string mode;
  std::string user;
  std::string group;
  std::string age;
  std::string argument;  ///< the rest of the line, unchanged
};

/// Reads one line: six words as extract_many_words() of systemd does it with EXTRACT_UNQUOTE and EXTRACT_CUNESCAPE, and
/// then the argument.
/// @return nullopt for a comment, an empty line, an open quote, and an invalid escape
std::optional<TmpfilesLine> read_tmpfiles_line(std::string_view line);

/// The argument with escapes and `%%` resolved; nullopt when only systemd can resolve it: other specifiers, an encoded
/// argument, the name of a credential.
std::optional<std::string> expanded_argument(const TmpfilesLine& line);

/// Whether a line is neither empty nor a comment.
bool is_tmpfiles_line(std::string_view line);

}  // namespace berth::render
