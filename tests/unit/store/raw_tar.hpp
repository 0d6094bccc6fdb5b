// SPDX-License-Identifier: LGPL-2.1-or-later
// Writes tar archives block by block, including invalid ones that no library writes.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace berth::store::testing {

enum class TarDialect { ustar, gnu, old };

/// One header with its data. Numbers are the bytes of their fields: octal text, or the result of base256().
struct RawEntry {
  std::string name = {};
  char type = '0';
  std::string content = {};
  std::string link = {};
  std::string size = {};  ///< that of `content` when empty
  std::string mode = "0000644";
  std::string uid = "0000000";
  std::string gid = "0000000";
  std::string mtime = "00000000000";
  TarDialect dialect = TarDialect::ustar;
  std::string prefix = {};  ///< the prefix of ustar; in GNU headers, the bytes at the same offset
};

/// The header with a valid checksum, and the content padded to whole blocks.
std::string raw(const RawEntry& entry);

/// A number in the base-256 format of GNU tar. @param room bytes of the field: 8 or 12
std::string base256(std::int64_t number, std::size_t room = 12);

using PaxRecords = std::vector<std::pair<std::string, std::string>>;
/// A pax record: "LENGTH KEY=VALUE\n"; the length includes itself.
std::string pax_record(const std::string& key, const std::string& value);
/// A pax header. @param type `x` for the next entry, `g` for all following entries
std::string pax(const PaxRecords& records, char type = 'x');
/// A GNU header with the name (`L`) or link target (`K`) of the next entry.
std::string gnu_long(const std::string& text, char type = 'L');

}  // namespace berth::store::testing
