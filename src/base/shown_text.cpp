// SPDX-License-Identifier: LGPL-2.1-or-later
#include "base/shown_text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdint>

#include "base/error.hpp"

namespace berth::base {

namespace {

struct Range {
  char32_t first;
  char32_t last;
};

/// In ascending order: invisible characters (Unicode's Cf, Zl, Zp and Default_Ignorable_Code_Point) except variation
/// selectors, which belong to the character before them.
constexpr std::array<Range, 17> invisible = {{{0x00AD, 0x00AD},
                                              {0x034F, 0x034F},
                                              {0x061C, 0x061C},
                                              {0x115F, 0x1160},
                                              {0x17B4, 0x17B5},
                                              {0x180B, 0x180F},
                                              {0x200B, 0x200F},
                                              {0x2028, 0x202E},
                                              {0x2060, 0x206F},
                                              {0x3164, 0x3164},
                                              {0xFEFF, 0xFEFF},
                                              {0xFFA0, 0xFFA0},
                                              {0xFFF0, 0xFFFB},
                                              {0x1BCA0, 0x1BCA3},
                                              {0x1D173, 0x1D17A},
                                              {0xE0000, 0xE00FF},
                                              {0xE01F0, 0xE0FFF}}};

bool is_control(char32_t code) {
  return code < 0x20 || (code >= 0x7F && code < 0xA0);
}

bool is_invisible(char32_t code) {
  const auto holds = [code](const Range& range) { return code >= range.first && code <= range.last; };
  return code >= invisible.front().first && std::any_of(invisible.begin(), invisible.end(), holds);
}

/// Length of the sequence that begins with a byte; 0 when it cannot be the first byte of one.
std::size_t sequence_length(unsigned char byte) {
  if (byte < 0x80) {
    return 1;
  }
  if (byte >= 0xC2 && byte < 0xE0) {
    return 2;
  }
  if (byte >= 0xE0 && byte < 0xF0) {
    return 3;
  }
  return byte >= 0xF0 && byte < 0xF5 ? 4 : 0;
}

/// How many characters at the beginning are visible ASCII or spaces: most texts are nothing else.
std::size_t length_of_plain(std::string_view text) {
  const auto other = [](char c) { return c < ' ' || c > '~'; };
  return static_cast<std::size_t>(std::find_if(text.begin(), text.end(), other) - text.begin());
}

std::string shown(std::string_view text, bool one_line) {
  std::string result;
  result.reserve(text.size());
  while (!text.empty()) {
    if (const auto plain = length_of_plain(text); plain > 0) {
      result += text.substr(0, plain);
      text.remove_prefix(plain);
      continue;
    }
    const auto character = first_character(text);
    const bool layout = character.code == '\n' || character.code == '\t';
    if (is_shown_as_is(character) || (layout && !one_line)) {
      result += character.bytes;
    } else if (layout) {
      result += character.code == '\n' ? "\\n" : "\\t";
    } else {
      result += stand_in(character);
    }
    text.remove_prefix(character.bytes.size());
  }
  return result;
}

}  // namespace

Character first_character(std::string_view text) {
  const auto byte_at = [text](std::size_t at) { return static_cast<unsigned char>(text[at]); };
  const auto length = sequence_length(byte_at(0));
  const Character no_utf8{text.substr(0, 1), 0, false};
  if (length == 0 || length > text.size()) {
    return no_utf8;
  }
  constexpr std::array<unsigned, 5> lead_bits = {0, 0x7F, 0x1F, 0x0F, 0x07};
  char32_t code = byte_at(0) & lead_bits.at(length);
  for (std::size_t at = 1; at < length; ++at) {
    if ((byte_at(at) & 0xC0U) != 0x80U) {
      return no_utf8;
    }
    code = (code << 6U) | (byte_at(at) & 0x3FU);
  }
  const bool overlong = (length == 3 && code < 0x800) || (length == 4 && code < 0x10000);
  const bool surrogate = code >= 0xD800 && code < 0xE000;
  return overlong || surrogate || code > 0x10FFFF ? no_utf8 : Character{text.substr(0, length), code, true};
}

bool is_shown_as_is(const Character& character) {
  return character.valid && !is_control(character.code) && !is_invisible(character.code);
}

std::string stand_in(const Character& character) {
  return character.valid && is_invisible(character.code)
             ? fmt::format("<U+{:04X}>", static_cast<std::uint32_t>(character.code))
             : "?";
}

std::string shown_text(std::string_view text) {
  return shown(text, false);
}

std::string shown_line(std::string_view text) {
  return shown(text, true);
}

std::string quoted_name(std::string_view name) {
  constexpr std::size_t limit = 200;
  std::string result = "'";
  for (auto rest = name.substr(0, limit); !rest.empty();) {
    const auto character = first_character(rest);
    if (is_shown_as_is(character) && character.code != '\\') {
      result += character.bytes;
    } else {
      for (const char c : character.bytes) {
        result += fmt::format("\\x{:02x}", static_cast<unsigned char>(c));
      }
    }
    rest.remove_prefix(character.bytes.size());
  }
  return result + (name.size() > limit ? "…'" : "'");
}

std::string indented(std::string_view text) {
  while (text.ends_with('\n')) {
    text.remove_suffix(1);
  }
  std::string result = "  ";
  for (const char letter : text) {
    result += letter;
    if (letter == '\n') {
      result += "  ";
    }
  }
  return result;
}

std::size_t find_control(std::string_view text) {
  for (std::size_t at = 0; at < text.size();) {
    const auto character = first_character(text.substr(at));
    if (character.valid && is_control(character.code) && character.code != '\n' && character.code != '\t') {
      return at;
    }
    at += character.bytes.size();
  }
  return std::string_view::npos;
}

std::string control_name(std::string_view text, std::size_t at) {
  const auto code = first_character(text.substr(at)).code;
  return code == '\r' ? "a carriage return"
                      : fmt::format("the control character U+{:04X}", static_cast<std::uint32_t>(code));
}

std::string printable(std::string_view text, std::size_t limit) {
  if (text.size() <= limit) {
    return shown_line(text);
  }
  const auto continues = [&](std::size_t at) { return (static_cast<unsigned char>(text[at]) & 0xC0U) == 0x80U; };
  std::size_t end = limit;
  while (end > 0 && limit - end < 3 && continues(end)) {
    --end;
  }
  return shown_line(text.substr(0, end)) + "...";
}

}  // namespace berth::base
