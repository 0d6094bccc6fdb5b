// SPDX-License-Identifier: LGPL-2.1-or-later
#include "source/registry/base64.hpp"

#include <cstdint>
#include <string>

namespace berth::source {
namespace {

constexpr std::string_view alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

}  // namespace

std::string encode_base64(std::string_view bytes) {
  std::string result;
  for (std::size_t at = 0; at < bytes.size(); at += 3) {
    const auto group = bytes.substr(at, 3);
    std::uint32_t bits = 0;
    for (std::size_t i = 0; i < 3; ++i) {
      bits = bits << 8U | (i < group.size() ? static_cast<unsigned char>(group[i]) : 0U);
    }
    for (std::size_t i = 0; i < 4; ++i) {
      result += i <= group.size() ? alphabet[bits >> (18 - 6 * i) & 63U] : '=';
    }
  }
  return result;
}

std::optional<std::string> decode_base64(std::string_view lines) {
  std::string text(lines);
  std::erase_if(text, [](char c) { return c == '\r' || c == '\n'; });
  while (!text.empty() && text.back() == '=') {
    text.pop_back();
  }
  if (text.size() % 4 == 1) {
    return std::nullopt;
  }
  std::string result;
  std::uint32_t bits = 0;
  unsigned count = 0;
  for (const char c : text) {
    const auto value = alphabet.find(c);
    if (value == std::string_view::npos) {
      return std::nullopt;
    }
    bits = bits << 6U | static_cast<std::uint32_t>(value);
    count += 6;
    if (count >= 8) {
      count -= 8;
      result += static_cast<char>(bits >> count & 0xffU);
    }
  }
  return result;
}

}  // namespace berth::source
