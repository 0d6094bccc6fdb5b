// Texts of several lines, and the lines of tmpfiles.d(5), read as systemd reads them.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "render/unit/plain_text.hpp"

namespace berth::render {

/// Calls `change` with each line, without its end, and joins what it gives.
template <typename Change>
std::string each_line(std::string_view text, Change change) {
  std::string result;
  result.reserve(text.size());
  while (!text.empty()) {
    std::size_t end = 0;
    const auto line = take_line(text, &end);
    result += change(line);
    result.append(line.data() + line.size(), end);
  }
  return result;
}

/// Takes a field off a tmpfiles.d line, quotes included, and the blanks before it.
std::string_view take_tmpfiles_field(std::string_view& line);

/// The fields of a line, unquoted and unescaped; absent ones are empty.
struct TmpfilesLine {
  std::string type;  ///< letter and modifiers
  std::string path;
  std::string mode;
  std::string user;
  std::string group;
  std::string age;
  std::string argument;  ///< the rest of the line, as it stands
};

/// Reads one line: six words as extract_many_words() of systemd does it with EXTRACT_UNQUOTE and EXTRACT_CUNESCAPE, and
/// then the argument.
/// @return nullopt for a comment, an empty line, and one that systemd cannot cut: an open quote, a bad escape
std::optional<TmpfilesLine> read_tmpfiles_line(std::string_view line);

/// The argument with escapes and `%%` resolved; nullopt when it has other specifiers, or is encoded or a credential's
/// name, so that only systemd knows what it becomes.
std::optional<std::string> expanded_argument(const TmpfilesLine& line);

/// Whether systemd looks at a line at all: neither empty nor a comment.
bool is_tmpfiles_line(std::string_view line);

}  // namespace berth::render
