// SPDX-License-Identifier: LGPL-2.1-or-later
// The syntax of systemd unit files: systemd.syntax(7), and config_parse() of systemd where the manual page is silent.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace berth::base {

/// One assignment. The lines of a continued assignment are joined, with a space for each backslash; comments between
/// them are dropped, and blanks around key and value removed.
struct UnitAssignment {
  std::string section;  ///< empty before the first section header
  std::string key;
  std::string value;
  std::size_t line = 0;  ///< first line of the assignment, from 1
};

/// A unit file, parsed.
struct ParsedUnit {
  std::vector<UnitAssignment> assignments;
  bool has_service = false;
  /// Offset after the last header, assignment or comment of the last [Service] section: where a setting can be added.
  std::size_t service_end = 0;
  /// The line before `service_end` ends in a backslash, and the text ends there.
  bool service_open_line = false;
};

/// Parses a unit file. As in systemd, a line that ends in an odd number of backslashes is continued by the next line
/// that is no comment; blanks after a backslash prevent that. Lines that systemd ignores are ignored, and so are
/// malformed section headers, for which systemd refuses the whole file.
ParsedUnit parse_unit(std::string_view text);

/// Takes the first line from the front of `text`, as read_line() of systemd 252 does: a line ends at a line feed, a
/// carriage return, both in either order, or a NUL.
/// @param end set to the length of the line's terminator in bytes; 0 at the end of the text
/// @return the line without its terminator
std::string_view take_line(std::string_view& text, std::size_t* end = nullptr);

}  // namespace berth::base
