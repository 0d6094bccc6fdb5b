// Texts of several lines, and the fields of tmpfiles.d(5) lines.
#pragma once

#include <string>
#include <string_view>

namespace berth::exports {

/// Calls `change` with each line, without its end, and joins what it gives.
template <typename Change>
std::string each_line(std::string_view text, Change change) {
  std::string result;
  result.reserve(text.size());
  while (!text.empty()) {
    const auto end = text.find('\n');
    result += change(text.substr(0, end));
    if (end == std::string_view::npos) {
      break;
    }
    result += '\n';
    text.remove_prefix(end + 1);
  }
  return result;
}

/// Takes a field off a tmpfiles.d line, quotes included, and the blanks before it.
std::string_view take_tmpfiles_field(std::string_view& line);

/// Such a field without the blanks and quotes; escapes stay.
std::string plain_tmpfiles_field(std::string_view field);

}  // namespace berth::exports
