// SPDX-License-Identifier: LGPL-2.1-or-later
#include "base/archive/tar_headers.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string_view>
#include <vector>

namespace berth::base {
namespace {

using namespace std::string_literals;
using ::testing::Optional;

constexpr std::size_t block = 512;

/// A header with the two fields that are read. @param size the bytes of that field
std::string header(char type, const std::string& size) {
  std::string bytes(block, '\0');
  bytes.replace(124, size.size(), size);
  bytes[156] = type;
  return bytes;
}

std::string octal(std::size_t size) {
  return fmt::format("{:011o}", size);
}

std::string padded(std::string data) {
  data.resize((data.size() + block - 1) / block * block);
  return data;
}

std::string extended(char type, const std::string& data) {
  return header(type, octal(data.size())) + padded(data);
}

/// "LENGTH KEY=VALUE\n", for records of 10 to 99 bytes.
std::string record(const std::string& key, const std::string& value) {
  const auto length = key.size() + value.size() + 5;
  EXPECT_TRUE(length >= 10 && length < 100) << length;
  return fmt::format("{} {}={}\n", length, key, value);
}

std::optional<std::string> find(const std::string& headers) {
  return find_nul_in_names(std::as_bytes(std::span(headers)));
}

/// A pax header with a NUL byte in a name.
std::string hostile() {
  return extended('x', record("path", "a\0b"s));
}
constexpr std::string_view found = "the pax path 'a\\x00b' contains a NUL byte";

TEST(TarHeaders, ANulInANameOfAPaxHeaderIsFound) {
  for (const std::string key : {"path", "linkpath", "GNU.sparse.name"}) {
    for (const char type : {'x', 'X'}) {
      EXPECT_THAT(find(extended(type, record(key, "a\0b"s))),
                  Optional(fmt::format("the pax {} 'a\\x00b' contains a NUL byte", key)));
      EXPECT_THAT(find(extended(type, record(key, "name\0"s))),
                  Optional(fmt::format("the pax {} 'name\\x00' contains a NUL byte", key)))
          << "no padding in a pax header";
      EXPECT_EQ(find(extended(type, record(key, "name"))), std::nullopt);
    }
  }
}

TEST(TarHeaders, ANulInAnotherPaxValueIsAllowed) {
  for (const std::string key : {"comment", "SCHILY.xattr.user.x", "PATH", "paths", "xpath"}) {
    EXPECT_EQ(find(extended('x', record(key, "a\0b"s))), std::nullopt) << key;
  }
  EXPECT_EQ(find(extended('g', record("path", "a\0b"s))), std::nullopt) << "global headers set no names";
}

TEST(TarHeaders, EveryPaxRecordIsChecked) {
  const auto last = record("path", "a\0b"s);
  EXPECT_THAT(find(extended('x', record("path", "harmless") + record("comment", "a\0b"s) + last)), Optional(found));
  EXPECT_THAT(find(extended('x', "3 \n" + last)), Optional(found)) << "the shortest record";
  EXPECT_THAT(find(extended('x', "7 path\n" + last)), Optional(found)) << "a record without a value";
  EXPECT_THAT(find(extended('x', record("path", "a=\0"s))), Optional("the pax path 'a=\\x00' contains a NUL byte"s));
}

/// libarchive refuses these; nothing beyond the data may be read.
TEST(TarHeaders, InvalidPaxRecordsEndTheSearch) {
  const auto name = "path=a\0b\n"s;
  for (const auto& length : {"", " ", "x ", "-1 ", "0 ", "1 ", "2 ", "13 ", "511 ", "512 ", "18446744073709551617 "}) {
    EXPECT_EQ(find(extended('x', length + name)), std::nullopt) << length;
  }
  EXPECT_THAT(find(extended('x', "12 " + name)), Optional(found)) << "the last byte of the data";
  EXPECT_EQ(find(extended('x', "")), std::nullopt);
}

TEST(TarHeaders, ANulWithinAGnuNameIsFound) {
  EXPECT_THAT(find(extended('L', "a\0b\0"s)), Optional("the GNU long name 'a\\x00b' contains a NUL byte"s));
  EXPECT_THAT(find(extended('K', "a\0b\0"s)), Optional("the GNU long link 'a\\x00b' contains a NUL byte"s));
  EXPECT_TRUE(find(extended('L', std::string(2000, 'n') + "\0b"s)));
}

TEST(TarHeaders, NulsAfterAGnuNameArePadding) {
  for (const auto& name : {"name"s, "name\0"s, "name\0\0\0"s, "\0"s, ""s}) {
    EXPECT_EQ(find(extended('L', name)), std::nullopt) << name.size();
  }
}

TEST(TarHeaders, EveryExtendedHeaderOfAnEntryIsChecked) {
  for (const char type : {'x', 'X', 'g', 'A', 'L', 'K', 'V'}) {
    for (const std::size_t size : {0U, 1U, 511U, 512U, 513U, 2000U}) {
      EXPECT_THAT(find(extended(type, std::string(size, 'n')) + hostile()), Optional(found)) << type << size;
    }
  }
}

TEST(TarHeaders, WhatFollowsTheExtendedHeadersIsIgnored) {
  for (const char type : {'0', '\0', '1', '2', '5', '7', 'S', 'D'}) {
    EXPECT_EQ(find(header(type, octal(0)) + hostile()), std::nullopt) << type;
  }
}

TEST(TarHeaders, SizesAreOctalOrBase256) {
  const auto data = padded("comment");
  for (const auto& size : {"7"s, "00000000007"s, "          7 "s, "\t7\0"s, "7 7"s, "\x80\0\0\0\0\0\0\0\0\0\0\7"s}) {
    EXPECT_THAT(find(header('g', size) + data + hostile()), Optional(found)) << size;
  }
  const auto large = padded(std::string(700, 'n'));
  EXPECT_THAT(find(header('g', "\x80\0\0\0\0\0\0\0\0\0\x02\xbc"s) + large + hostile()), Optional(found));
  EXPECT_THAT(find(header('g', "            ") + hostile()), Optional(found)) << "an empty size is 0";
}

/// Nothing beyond the blocks may be read, whatever the size says.
TEST(TarHeaders, ASizeBeyondTheBlocksEndsTheSearch) {
  const auto name = "a\0b"s;
  EXPECT_TRUE(find(header('L', octal(3)) + name)) << "all of the data, without its padding";
  EXPECT_EQ(find(header('L', octal(4)) + name), std::nullopt);
  for (const auto& size : {"777777777777"s, "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"s,
                           "\x80\0\0\0\xff\xff\xff\xff\xff\xff\xfe\0"s}) {
    EXPECT_EQ(find(header('L', size) + name + hostile()), std::nullopt);
  }
}

TEST(TarHeaders, IncompleteHeadersAreIgnored) {
  for (const std::size_t size : {0U, 1U, 157U, 511U, 512U}) {
    EXPECT_EQ(find(hostile().substr(0, size)), std::nullopt) << size;
  }
  EXPECT_EQ(find(extended('g', "x") + hostile().substr(0, 511)), std::nullopt);
}

}  // namespace
}  // namespace berth::base
