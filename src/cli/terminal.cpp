#include "cli/terminal.hpp"

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <array>
#include <cstdlib>

namespace berth::cli {

bool wants_color(int fd, bool no_color) {
  const char* term = std::getenv("TERM");
  const char* variable = std::getenv("NO_COLOR");
  const bool refused = no_color || (variable != nullptr && *variable != '\0');
  return !refused && ::isatty(fd) != 0 && term != nullptr && std::string_view(term) != "dumb";
}

unsigned terminal_width(int fd) {
  winsize size{};
  if (::isatty(fd) == 0 || ::ioctl(fd, TIOCGWINSZ, &size) != 0) {
    return 0;
  }
  return size.ws_col == 0 ? 80 : size.ws_col;
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

std::string fit(std::string_view text, std::size_t columns) {
  std::string result;
  std::size_t width = 0;
  std::size_t cut = 0;  // length of `result` one column before the end, where an ellipsis would go
  for (const char letter : text) {
    const auto byte = static_cast<unsigned char>(letter);
    const bool continuation = (byte & 0xC0U) == 0x80U;
    if (!continuation) {
      if (width + 1 == columns) {
        cut = result.size();
      }
      if (width == columns) {
        return columns == 0 ? "" : result.substr(0, cut) + "…";
      }
      ++width;
    }
    result += byte < 0x20 || byte == 0x7F ? '?' : letter;
  }
  return result;
}

}  // namespace berth::cli
