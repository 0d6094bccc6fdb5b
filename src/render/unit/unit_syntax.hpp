// systemd unit files as systemd.syntax(7) defines them, as far as berth reads and writes them.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace berth::render {

/// One assignment: comments dropped, continued lines joined by a space, blanks around key and value removed.
struct UnitAssignment {
  std::string section;
  std::string key;
  std::string value;
  std::size_t line = 0;  ///< from 1; the first one, when it is continued
};

/// A unit cut into assignments.
struct UnitText {
  std::vector<UnitAssignment> assignments;
  bool has_service = false;
  std::size_t service_end = 0;     ///< offset behind the last line of the last [Service] section that says something
  bool service_open_line = false;  ///< that line ends in a backslash that continues into the end of the text
};

/// Reads a unit the way systemd does; lines that systemd would ignore are ignored.
UnitText read_unit(std::string_view text);

/// A word for an Exec line: quoted when it needs it, `%` and `$` doubled so that systemd expands nothing.
std::string unit_word(std::string_view word);

}  // namespace berth::render
