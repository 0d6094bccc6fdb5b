// SPDX-License-Identifier: LGPL-2.1-or-later
#include "cli/terminal/terminal.hpp"

#include <fmt/format.h>
#include <locale.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include <wchar.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <string>

#include "base/shown_text.hpp"

namespace berth::cli {

namespace {

/// Sets a UTF-8 locale for this thread during its lifetime, whatever the user's locale is.
class Utf8Locale {
 public:
  Utf8Locale() : own_(::newlocale(LC_CTYPE_MASK, "C.UTF-8", nullptr)), before_(::uselocale(own_)) {}
  Utf8Locale(const Utf8Locale&) = delete;
  Utf8Locale& operator=(const Utf8Locale&) = delete;
  ~Utf8Locale() {
    ::uselocale(before_);
    if (own_ != nullptr) {
      ::freelocale(own_);
    }
  }

 private:
  locale_t own_;
  locale_t before_;
};

bool is_plain_ascii(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char letter) { return letter >= 0x20 && letter < 0x7F; });
}

/// Columns of a printable character; -1 when the C library does not know it.
int columns_of(const base::Character& character) {
  return ::wcwidth(static_cast<wchar_t>(character.code));
}

/// Calls visit(text, columns) for each character, or its replacement if it is unprintable, until `visit` returns false.
/// Combining characters have 0 columns, wide ones 2 (wcwidth(3)).
template <typename Visit>
void for_each_character(std::string_view text, Visit visit) {
  if (is_plain_ascii(text)) {
    for (std::size_t at = 0; at < text.size() && visit(text.substr(at, 1), std::size_t{1}); ++at) {
    }
    return;
  }
  const Utf8Locale locale;
  while (!text.empty()) {
    const auto character = base::first_character(text);
    const int columns = base::is_shown_as_is(character) ? columns_of(character) : -1;
    const auto other = columns < 0 ? base::stand_in(character) : std::string();
    if (!visit(columns < 0 ? std::string_view(other) : character.bytes,
               columns < 0 ? other.size() : static_cast<std::size_t>(columns))) {
      return;
    }
    text.remove_prefix(character.bytes.size());
  }
}

}  // namespace

bool wants_color(int fd, bool no_color) {
  const char* term = std::getenv("TERM");
  const char* variable = std::getenv("NO_COLOR");
  const bool refused = no_color || (variable != nullptr && *variable != '\0');
  return !refused && ::isatty(fd) != 0 && term != nullptr && std::string_view(term) != "dumb";
}

TerminalSize terminal_size(int fd) {
  winsize size{};
  if (::ioctl(fd, TIOCGWINSZ, &size) != 0) {
    return {};
  }
  return {size.ws_col == 0 ? 80U : size.ws_col, size.ws_row == 0 ? 24U : size.ws_row};
}

std::string human_size(std::uint64_t bytes) {
  static constexpr std::array<const char*, 6> units = {"B", "kB", "MB", "GB", "TB", "PB"};
  auto value = static_cast<double>(bytes);
  std::size_t unit = 0;
  while (value >= 1000 && unit + 1 < units.size()) {
    value /= 1000;
    ++unit;
  }
  return unit == 0 ? fmt::format("{} B", bytes) : fmt::format("{:.1f} {}", value, units.at(unit));
}

std::size_t columns_of(std::string_view text) {
  std::size_t columns = 0;
  for_each_character(text, [&](std::string_view, std::size_t width) {
    columns += width;
    return true;
  });
  return columns;
}

std::string fit(std::string_view text, std::size_t columns) {
  std::string result;
  std::size_t used = 0;
  std::size_t cut = 0;  // length of `result` at most one column before the end, where an ellipsis would go
  bool whole = true;
  for_each_character(text, [&](std::string_view character, std::size_t width) {
    if (used < columns && width > 0) {
      cut = result.size();
    }
    whole = used + width <= columns;
    used += width;
    result += character;
    return whole;
  });
  if (whole) {
    return result;
  }
  return columns == 0 ? "" : result.substr(0, cut) + "…";
}

}  // namespace berth::cli
