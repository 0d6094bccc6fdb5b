// SPDX-License-Identifier: LGPL-2.1-or-later
#include "render/unit/plain_text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <string>

#include "base/error.hpp"
#include "base/hint.hpp"
#include "base/json.hpp"
#include "base/shown_text.hpp"

namespace berth::render {
namespace {

std::string remedy(std::string_view text, std::size_t at) {
  return text[at] == '\r' ? "save it with Unix line endings: systemd treats a carriage return as the end of a line"
                          : "remove it: this text must be shown exactly as it is read";
}

/// Offset of a control character of ISO 8859 (0x80 to 0x9F) outside a UTF-8 sequence: some terminals act on it.
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

}  // namespace

Position position_of(std::string_view text, std::size_t offset) {
  const std::string_view before = text.substr(0, offset);
  const std::size_t newline = before.rfind('\n');
  const auto lines = static_cast<std::size_t>(std::count(before.begin(), before.end(), '\n'));
  return {lines + 1, before.size() - (newline == std::string_view::npos ? 0 : newline + 1) + 1};
}

std::size_t line_of(std::string_view document, std::string_view text) {
  const auto place = text.empty() ? std::string_view::npos : document.find(text);
  return place == std::string_view::npos ? 0 : position_of(document, place).line;
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
        fmt::format("{}:{}: contains {}", shown, position_of(text, at).line, base::control_name(text, at)),
        remedy(text, at));
  }
  if (const auto at = find_raw_control(text); at != std::string_view::npos) {
    throw base::Error(base::ErrorKind::verification,
                      fmt::format("{}:{}: contains the byte 0x{:02X}, which some terminals take for a control "
                                  "character",
                                  shown, position_of(text, at).line, static_cast<unsigned char>(text[at])),
                      "save it as UTF-8: this text must be shown exactly as it is read");
  }
  if (const auto at = find_byte_order_mark(text); at != std::string_view::npos) {
    throw base::Error(base::ErrorKind::verification,
                      fmt::format("{}:{}: contains a byte order mark", shown, position_of(text, at).line),
                      "save it without one: this text must be shown exactly as it is read");
  }
}

void refuse_control_characters(const base::JsonView& document) {
  const auto check = [&document](std::string_view text) {
    if (const auto at = base::find_control(text); at != std::string_view::npos) {
      base::with_hint(remedy(text, at), [&] {
        document.fail(fmt::format("`{}` contains {}", base::printable(text), base::control_name(text, at)));
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

}  // namespace berth::render
