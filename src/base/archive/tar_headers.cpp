// SPDX-License-Identifier: LGPL-2.1-or-later
#include "base/archive/tar_headers.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <string_view>

#include "base/shown_text.hpp"

namespace berth::base {
namespace {

constexpr std::size_t block_size = 512;
constexpr std::size_t size_at = 124;
constexpr std::size_t size_room = 12;
constexpr std::size_t type_at = 156;
constexpr std::array<std::string_view, 3> name_keys = {"path", "linkpath", "GNU.sparse.name"};

/// A number field: octal digits, or base-256 when its first bit is set (GNU tar manual, "Extensions to Standard").
std::uint64_t number(std::string_view field) {
  std::uint64_t value = 0;
  if ((static_cast<unsigned char>(field.front()) & 0x80U) != 0) {
    for (const char byte : field.substr(field.size() - sizeof(value))) {
      value = value << 8U | static_cast<unsigned char>(byte);
    }
    return value;
  }
  for (const char digit : field.substr(std::min(field.find_first_not_of(" \t"), field.size()))) {
    if (digit < '0' || digit > '7') {
      break;
    }
    value = value << 3U | static_cast<unsigned>(digit - '0');
  }
  return value;
}

bool has_nul(std::string_view text) {
  return text.find('\0') != std::string_view::npos;
}

std::string reason(std::string_view what, std::string_view text) {
  return fmt::format("{} {} contains a NUL byte", what, quoted_name(text));
}

/// Records "LENGTH KEY=VALUE\n", the length counting itself.
std::optional<std::string> find_nul_in_pax(std::string_view records) {
  while (!records.empty()) {
    const auto blank = records.find(' ');
    std::size_t length = 0;
    for (const char digit : records.substr(0, std::min(blank, records.size()))) {
      length = digit < '0' || digit > '9' || length > records.size() ? 0 : 10 * length + (digit - '0');
    }
    if (blank == std::string_view::npos || length < blank + 2 || length > records.size()) {
      return std::nullopt;  // the end, or a record that libarchive refuses
    }
    const auto record = records.substr(blank + 1, length - blank - 2);
    const auto key = record.substr(0, record.find('='));
    const auto value = record.substr(std::min(key.size() + 1, record.size()));
    if (has_nul(value) && std::find(name_keys.begin(), name_keys.end(), key) != name_keys.end()) {
      return reason(fmt::format("the pax {}", key), value);
    }
    records.remove_prefix(length);
  }
  return std::nullopt;
}

std::optional<std::string> find_nul_in_gnu(std::string_view name, char type) {
  name = name.substr(0, name.find_last_not_of('\0') + 1);
  return has_nul(name) ? std::optional(reason(type == 'L' ? "the GNU long name" : "the GNU long link", name))
                       : std::nullopt;
}

}  // namespace

std::optional<std::string> find_nul_in_names(std::span<const std::byte> headers) {
  std::string_view blocks(reinterpret_cast<const char*>(headers.data()), headers.size());
  while (blocks.size() >= block_size) {
    const char type = blocks[type_at];
    const auto size = number(blocks.substr(size_at, size_room));
    if (std::string_view("xXgALKV").find(type) == std::string_view::npos || size > blocks.size() - block_size) {
      break;
    }
    const auto data = blocks.substr(block_size, size);
    std::optional<std::string> found;
    if (type == 'x' || type == 'X') {
      found = find_nul_in_pax(data);
    } else if (type == 'L' || type == 'K') {
      found = find_nul_in_gnu(data, type);
    }
    if (found) {
      return found;
    }
    blocks.remove_prefix(
        std::min<std::size_t>(blocks.size(), block_size + (size + block_size - 1) / block_size * block_size));
  }
  return std::nullopt;
}

}  // namespace berth::base
