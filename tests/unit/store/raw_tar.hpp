// Tar archives block by block, for what no library would write.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace berth::store::testing {

enum class TarDialect { ustar, gnu, old };

/// One header with its data. Numbers are the bytes of their fields: octal text, or base-256 from base256().
struct RawEntry {
  std::string name = {};
  char type = '0';
  std::string content = {};
  std::string link = {};
  std::string size = {};  ///< empty: that of `content`
  std::string mode = "0000644";
  std::string uid = "0000000";
  std::string gid = "0000000";
  std::string mtime = "00000000000";
  TarDialect dialect = TarDialect::ustar;
  std::string prefix = {};  ///< of ustar; what is at its place in GNU headers
};

/// The header with a right checksum, and the content padded to whole blocks.
std::string raw(const RawEntry& entry);

/// A number as GNU tar writes those that octal digits cannot hold. @param room bytes of the field: 8 or 12
std::string base256(std::int64_t number, std::size_t room = 12);

using PaxRecords = std::vector<std::pair<std::string, std::string>>;
/// "LENGTH KEY=VALUE\n", the length counting itself.
std::string pax_record(const std::string& key, const std::string& value);
/// A pax header for the next entry. @param type `x`, or `g` for all that follow
std::string pax(const PaxRecords& records, char type = 'x');
/// A GNU header that holds the next entry's name (`L`) or link (`K`).
std::string gnu_long(const std::string& text, char type = 'L');

}  // namespace berth::store::testing
