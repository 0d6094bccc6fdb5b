// SPDX-License-Identifier: LGPL-2.1-or-later
#include "store/tree/checksum.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/error.hpp"

namespace berth::store {
namespace {

[[noreturn]] void refuse(std::string_view text) {
  throw base::Error(base::ErrorKind::verification, fmt::format("'{}' is not an OSTree checksum", text),
                    "the file that names it is damaged; berth images verify shows the images concerned");
}

int nibble(char letter) {
  if (letter >= '0' && letter <= '9') {
    return letter - '0';
  }
  return letter >= 'a' && letter <= 'f' ? letter - 'a' + 10 : -1;
}

}  // namespace

std::string Checksum::hex() const {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string text;
  text.reserve(2 * bytes.size());
  for (const auto byte : bytes) {
    text += digits[byte >> 4U];
    text += digits[byte & 15U];
  }
  return text;
}

Checksum Checksum::from_hex(std::string_view text) {
  Checksum result;
  if (text.size() != 2 * result.bytes.size()) {
    refuse(text);
  }
  for (std::size_t i = 0; i < result.bytes.size(); ++i) {
    const int high = nibble(text[2 * i]);
    const int low = nibble(text[2 * i + 1]);
    if (high < 0 || low < 0) {
      refuse(text);
    }
    result.bytes[i] = static_cast<std::uint8_t>(high * 16 + low);
  }
  return result;
}

Checksum Checksum::from_bytes(std::span<const std::uint8_t> raw) {
  Checksum result;
  if (raw.size() != result.bytes.size()) {
    refuse(fmt::format("({} bytes)", raw.size()));
  }
  std::copy(raw.begin(), raw.end(), result.bytes.begin());
  return result;
}

}  // namespace berth::store
