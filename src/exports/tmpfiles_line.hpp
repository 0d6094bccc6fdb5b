// One line of tmpfiles.d(5), read as systemd reads it.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace berth::exports {

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

/// Whether systemd looks at a line at all: neither empty nor a comment.
bool is_tmpfiles_line(std::string_view line);

}  // namespace berth::exports
