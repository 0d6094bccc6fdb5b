#include "cli/messages.hpp"

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

}  // namespace berth::cli
