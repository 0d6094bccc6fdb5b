#include "render/unit/unit_syntax.hpp"

#include <algorithm>

#include "render/unit/plain_text.hpp"

namespace berth::render {
namespace {

constexpr std::string_view blanks = " \t\r\f\v";

std::string_view strip(std::string_view text) {
  const std::size_t begin = text.find_first_not_of(blanks);
  if (begin == std::string_view::npos) {
    return {};
  }
  return text.substr(begin, text.find_last_not_of(blanks) - begin + 1);
}

/// An odd number of backslashes at the end continues the line.
bool is_continued(std::string_view line) {
  const std::size_t last = line.find_last_not_of('\\');
  const std::size_t backslashes = line.size() - (last == std::string_view::npos ? 0 : last + 1);
  return backslashes % 2 == 1;
}

/// Reads physical lines one after the other.
class UnitReader {
 public:
  /// @param end offset behind the line's newline
  void read_line(std::string_view line, std::size_t end) {
    ++line_;
    const std::string_view content = strip(line);
    if (content.starts_with('#') || content.starts_with(';')) {
      if (!open_) {  // between continued lines nothing can be put in
        note_end(end);
      }
      return;
    }
    const bool continued = is_continued(line);
    if (!open_) {
      begun_ = line_;
    }
    joined_ += continued ? line.substr(0, line.size() - 1) : line;
    if (continued) {
      joined_ += ' ';
      open_ = true;
      return;
    }
    open_ = false;
    read_whole(strip(joined_), end);
    joined_.clear();
  }

  UnitText finish(std::size_t size) {
    if (open_) {
      read_whole(strip(joined_), size);
      unit_.service_open_line = section_ == "Service";
    }
    return std::move(unit_);
  }

 private:
  void read_whole(std::string_view line, std::size_t end) {
    if (line.empty()) {
      return;
    }
    if (line.starts_with('[') && line.ends_with(']')) {
      section_ = line.substr(1, line.size() - 2);
      unit_.has_service = unit_.has_service || section_ == "Service";
    } else if (const std::size_t equals = line.find('='); equals != std::string_view::npos) {
      unit_.assignments.push_back(
          {section_, std::string(strip(line.substr(0, equals))), std::string(strip(line.substr(equals + 1))), begun_});
    }
    note_end(end);
  }

  void note_end(std::size_t end) {
    if (section_ == "Service") {
      unit_.service_end = end;
    }
  }

  UnitText unit_;
  std::string section_;
  std::string joined_;
  std::size_t line_ = 0;
  std::size_t begun_ = 0;  ///< where what is in joined_ began
  bool open_ = false;
};

}  // namespace

UnitText read_unit(std::string_view text) {
  UnitReader reader;
  for (auto rest = text; !rest.empty();) {
    const auto line = take_line(rest);
    reader.read_line(line, text.size() - rest.size());
  }
  return reader.finish(text.size());
}

std::string unit_word(std::string_view word) {
  constexpr std::string_view plain = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789/._+@:=,-";
  if (!word.empty() && word.find_first_not_of(plain) == std::string_view::npos) {
    return std::string(word);
  }
  std::string quoted = "\"";
  for (const char c : word) {
    if (c == '"' || c == '\\') {
      quoted += '\\';
    } else if (c == '%' || c == '$') {
      quoted += c;
    }
    quoted += c;
  }
  return quoted + '"';
}

}  // namespace berth::render
