// SPDX-License-Identifier: LGPL-2.1-or-later
#include "base/unit_syntax.hpp"

#include <algorithm>
#include <utility>

#include "base/unit_quoting.hpp"

namespace berth::base {
namespace {

constexpr std::string_view byte_order_mark = "\xEF\xBB\xBF";

std::string_view strip(std::string_view text) {
  const std::size_t begin = text.find_first_not_of(unit_blanks);
  if (begin == std::string_view::npos) {
    return {};
  }
  return text.substr(begin, text.find_last_not_of(unit_blanks) - begin + 1);
}

/// The kinds of line ends, as bits; 0 for a character that ends no line.
unsigned line_end_kind(char c) {
  constexpr unsigned line_feed = 1;
  constexpr unsigned carriage_return = 2;
  constexpr unsigned nul = 4;
  return c == '\n' ? line_feed : c == '\r' ? carriage_return : c == '\0' ? nul : 0;
}

/// A pair of backslashes is one escaped backslash, so an odd number of them leaves one that escapes the line end.
bool is_continued(std::string_view line) {
  const std::size_t last = line.find_last_not_of('\\');
  const std::size_t backslashes = line.size() - (last == std::string_view::npos ? 0 : last + 1);
  return backslashes % 2 == 1;
}

/// Takes physical lines one by one.
class UnitParser {
 public:
  /// @param end offset after the line's terminator
  void add_line(std::string_view line, std::size_t end) {
    ++line_;
    const std::string_view content = strip(line);
    if (content.starts_with('#') || content.starts_with(';')) {
      if (!open_) {  // nothing can be inserted between continued lines
        note_end(end);
      }
      return;
    }
    if (!mark_seen_ && line.starts_with(byte_order_mark)) {  // systemd drops the first one, whatever its line
      line.remove_prefix(byte_order_mark.size());
      mark_seen_ = true;
    }
    const bool continued = is_continued(line);
    if (!open_) {
      first_line_ = line_;
    }
    joined_ += continued ? line.substr(0, line.size() - 1) : line;
    if (continued) {
      joined_ += ' ';
      open_ = true;
      return;
    }
    open_ = false;
    add_logical_line(strip(joined_), end);
    joined_.clear();
  }

  ParsedUnit finish(std::size_t size) {
    if (open_) {
      add_logical_line(strip(joined_), size);
      unit_.service_open_line = section_ == "Service";
    }
    return std::move(unit_);
  }

 private:
  void add_logical_line(std::string_view line, std::size_t end) {
    if (line.empty()) {
      return;
    }
    const std::size_t equals = line.find('=');
    if (line.starts_with('[')) {
      if (line.ends_with(']')) {
        section_ = line.substr(1, line.size() - 2);
        unit_.has_service = unit_.has_service || section_ == "Service";
      }
    } else if (equals != std::string_view::npos && equals != 0) {
      unit_.assignments.push_back({section_, std::string(strip(line.substr(0, equals))),
                                   std::string(strip(line.substr(equals + 1))), first_line_});
    }
    note_end(end);
  }

  void note_end(std::size_t end) {
    if (section_ == "Service") {
      unit_.service_end = end;
    }
  }

  ParsedUnit unit_;
  std::string section_;
  std::string joined_;
  std::size_t line_ = 0;
  std::size_t first_line_ = 0;  ///< of the text in joined_
  bool open_ = false;           ///< the last line is continued
  bool mark_seen_ = false;
};

}  // namespace

ParsedUnit parse_unit(std::string_view text) {
  UnitParser parser;
  for (auto rest = text; !rest.empty();) {
    const auto line = take_line(rest);
    parser.add_line(line, text.size() - rest.size());
  }
  return parser.finish(text.size());
}

std::string_view take_line(std::string_view& text, std::size_t* end) {
  const auto length = std::min(text.find_first_of(std::string_view("\n\r\0", 3)), text.size());
  auto next = length;
  unsigned seen = 0;
  while (next < text.size()) {
    const auto kind = line_end_kind(text[next]);
    if (kind == 0 || (seen & kind) != 0 || (seen & line_end_kind('\0')) != 0) {
      break;
    }
    seen |= kind;
    ++next;
  }
  const auto line = text.substr(0, length);
  if (end != nullptr) {
    *end = next - length;
  }
  text.remove_prefix(next);
  return line;
}

}  // namespace berth::base
