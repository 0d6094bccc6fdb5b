#include "cli/messages.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <cstdio>

#include "cli/terminal.hpp"

namespace berth::cli {

std::string harmless(std::string_view text) {
  std::string result;
  while (true) {
    const auto end = text.find('\n');
    result += fit(text.substr(0, end), text.size());
    if (end == std::string_view::npos) {
      return result;
    }
    result += '\n';
    text.remove_prefix(end + 1);
  }
}

void print_error(const base::Error& error, bool no_color) {
  const bool color = wants_color(STDERR_FILENO, no_color);
  fmt::print(stderr, "{}berth:{} {}\n", color ? "\033[1;31m" : "", color ? "\033[0m" : "", harmless(error.what()));
  if (!error.hint().empty()) {
    fmt::print(stderr, "{}hint:{} {}\n", color ? "\033[1m" : "", color ? "\033[0m" : "", harmless(error.hint()));
  }
}

}  // namespace berth::cli
