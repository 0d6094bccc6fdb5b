#include "render/unit/plain_text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <string>

#include "base/error.hpp"
#include "base/hint.hpp"
#include "base/shown_text.hpp"

namespace berth::render {
namespace {

std::string remedy(std::string_view text, std::size_t at) {
  return text[at] == '\r' ? "save it with the line ends of Unix: systemd takes a carriage return for the end of a line"
                          : "take it out: what is shown of this text must be what is read of it";
}

/// The control characters of ISO 8859, U+0080 to U+009F, as single bytes: what is no UTF-8 may still be obeyed.
std::size_t find_raw_control(std::string_view text) {
  for (std::size_t at = 0; at < text.size();) {
    const auto character = base::first_character(text.substr(at));
    const auto byte = static_cast<unsigned char>(text[at]);
    if (!character.valid && byte >= 0x80 && byte < 0xA0) {
      return at;
    }
    at += character.bytes.size();
  }
  return std::string_view::npos;
}

/// The kinds of line ends, as bits; 0 for what ends no line.
unsigned line_end_kind(char c) {
  constexpr unsigned line_feed = 1;
  constexpr unsigned carriage_return = 2;
  constexpr unsigned nul = 4;
  return c == '\n' ? line_feed : c == '\r' ? carriage_return : c == '\0' ? nul : 0;
}

}  // namespace

Position position_of(std::string_view text, std::size_t offset) {
  const std::string_view before = text.substr(0, offset);
  const std::size_t newline = before.rfind('\n');
  const auto lines = static_cast<std::size_t>(std::count(before.begin(), before.end(), '\n'));
  return {lines + 1, before.size() - (newline == std::string_view::npos ? 0 : newline + 1) + 1};
}

std::size_t find_byte_order_mark(std::string_view text) {
  constexpr std::string_view mark = "\xEF\xBB\xBF";
  auto at = text.find(mark);
  while (at != std::string_view::npos && at != 0 && text[at - 1] != '\n') {
    at = text.find(mark, at + mark.size());
  }
  return at;
}

void refuse_control_characters(std::string_view text, std::string_view shown) {
  if (const auto at = base::find_control(text); at != std::string_view::npos) {
    throw base::Error(
        base::ErrorKind::verification,
        fmt::format("{}:{}: there is {} in it", shown, position_of(text, at).line, base::control_name(text, at)),
        remedy(text, at));
  }
  if (const auto at = find_raw_control(text); at != std::string_view::npos) {
    throw base::Error(base::ErrorKind::verification,
                      fmt::format("{}:{}: there is the byte 0x{:02X} in it, which some terminals take for a control "
                                  "character",
                                  shown, position_of(text, at).line, static_cast<unsigned char>(text[at])),
                      "save it as UTF-8: what is shown of this text must be what is read of it");
  }
  if (const auto at = find_byte_order_mark(text); at != std::string_view::npos) {
    throw base::Error(base::ErrorKind::verification,
                      fmt::format("{}:{}: there is a byte order mark in it", shown, position_of(text, at).line),
                      "save it without one: what is shown of this text must be what is read of it");
  }
}

void refuse_control_characters(const base::JsonView& document) {
  const auto check = [&document](std::string_view text) {
    if (const auto at = base::find_control(text); at != std::string_view::npos) {
      base::with_hint(remedy(text, at), [&] {
        document.fail(fmt::format("there is {} in `{}`", base::control_name(text, at), base::printable(text)));
      });
    }
  };
  if (document.value().is_string()) {
    check(document.value().get_ref<const std::string&>());
  } else if (document.value().is_object()) {
    for (const auto& [key, member] : document.as_object()) {
      check(key);
      refuse_control_characters(member);
    }
  } else if (document.value().is_array()) {
    for (const auto& element : document.as_array()) {
      refuse_control_characters(element);
    }
  }
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

}  // namespace berth::render
