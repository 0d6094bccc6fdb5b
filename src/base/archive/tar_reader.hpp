// SPDX-License-Identifier: LGPL-2.1-or-later
// Strict reading of tar archives (ustar, pax, GNU) over libarchive.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "base/byte_stream.hpp"

namespace berth::base {

enum class TarEntryType { file, directory, symbolic_link, hard_link, special };

/// One entry as it is in the archive. Names are unchecked bytes without NUL: they may be empty, absolute or contain
/// `..`.
struct TarEntry {
  TarEntryType type = TarEntryType::file;
  std::string name;
  std::string link_target;  ///< of a symbolic or hard link
  std::uint64_t size = 0;   ///< bytes of a file, holes included
  std::int64_t uid = 0;
  std::int64_t gid = 0;
  std::uint32_t permissions = 0;              ///< 07777
  std::map<std::string, std::string> xattrs;  ///< extended attributes
};

/// Reads one archive, front to back. libarchive bounds the size of a pax or GNU long name header to 1 MiB.
/// All methods throw Error(verification) for a damaged archive, links without a target, files of negative size, a NUL
/// within a pax or GNU name (find_nul_in_names) and headers that libarchive understands only in part; and what reading
/// `bytes` throws. The blocks of zeros at the end of the archive, and the padding of the last entry, may be missing.
class TarReader {
 public:
  /// @param bytes must outlive the reader; data that is not read is skipped where the stream can skip
  /// @param name of the archive, for errors
  /// @param hint the remedy for a damaged archive
  TarReader(ByteStream& bytes, std::string name, std::string hint);
  TarReader(const TarReader&) = delete;
  TarReader& operator=(const TarReader&) = delete;
  ~TarReader();

  /// The next entry; nullopt after the last. Unread data of the entry before is skipped.
  std::optional<TarEntry> next();

  /// Data of the current entry; holes of sparse files are zeros. 0 at its end, which comes after exactly `size` bytes.
  std::size_t read(std::span<std::byte> buffer);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace berth::base
