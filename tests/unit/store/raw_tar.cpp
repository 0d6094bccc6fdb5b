// SPDX-License-Identifier: LGPL-2.1-or-later
#include "store/raw_tar.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace berth::store::testing {
namespace {

constexpr std::size_t block_size = 512;

std::string_view magic(TarDialect dialect) {
  switch (dialect) {
    case TarDialect::ustar:
      return std::string_view("ustar\00000", 8);
    case TarDialect::gnu:
      return std::string_view("ustar  \0", 8);
    case TarDialect::old:
      break;
  }
  return {};
}

}  // namespace

std::string raw(const RawEntry& entry) {
  std::string header(block_size, '\0');
  const auto put = [&](std::size_t at, std::size_t room, std::string_view text) {
    header.replace(at, std::min(room, text.size()), text.substr(0, room));
  };
  put(0, 100, entry.name);
  put(100, 8, entry.mode);
  put(108, 8, entry.uid);
  put(116, 8, entry.gid);
  put(124, 12, entry.size.empty() ? fmt::format("{:011o}", entry.content.size()) : entry.size);
  put(136, 12, entry.mtime);
  put(148, 8, "        ");
  header[156] = entry.type;
  put(157, 100, entry.link);
  put(257, 8, magic(entry.dialect));
  put(345, 155, entry.prefix);
  unsigned sum = 0;
  for (const char byte : header) {
    sum += static_cast<unsigned char>(byte);
  }
  put(148, 7, fmt::format("{:06o}", sum) + '\0');
  std::string data = entry.content;
  data.resize((data.size() + block_size - 1) / block_size * block_size, '\0');
  return header + data;
}

std::string base256(std::int64_t number, std::size_t room) {
  std::string field(room, number < 0 ? '\xff' : '\0');
  for (std::size_t i = 0; i < sizeof(number) && i < room; ++i) {
    field[room - 1 - i] = static_cast<char>(static_cast<std::uint64_t>(number) >> (8U * i) & 0xffU);
  }
  field[0] = static_cast<char>(static_cast<unsigned char>(field[0]) | 0x80U);
  return field;
}

std::string pax_record(const std::string& key, const std::string& value) {
  const std::size_t rest = key.size() + value.size() + 3;  // a space, `=` and a newline
  std::size_t length = rest + 1;
  while (fmt::format("{}", length).size() + rest != length) {
    length = fmt::format("{}", length).size() + rest;
  }
  return fmt::format("{} {}={}\n", length, key, value);
}

std::string pax(const PaxRecords& records, char type) {
  std::string text;
  for (const auto& [key, value] : records) {
    text += pax_record(key, value);
  }
  return raw({.name = "PaxHeaders/x", .type = type, .content = text});
}

std::string gnu_long(const std::string& text, char type) {
  return raw({.name = "././@LongLink", .type = type, .content = text + '\0', .dialect = TarDialect::gnu});
}

}  // namespace berth::store::testing
