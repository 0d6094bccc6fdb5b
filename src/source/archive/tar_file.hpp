// SPDX-License-Identifier: LGPL-2.1-or-later
// A tar archive on disk, read member by member without unpacking it.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>

#include "base/byte_stream.hpp"
#include "base/fd.hpp"

namespace berth::source {

/// An archive, plain or compressed once with gzip, bzip2, xz or zstd, and the names in it. base::unpacked_limit of the
/// file's size bounds what the archive decompresses to, and the size of each member. Members may be opened from
/// several threads at once: each has a reader of its own. Streams must not outlive this.
class TarFile {
 public:
  /// Reads the names.
  /// @param stop requests an end, of the streams as well
  /// @throws Error when the file cannot be opened, is not a tar archive, or has more than 100000 members or 16 MiB of
  ///   names; Interrupted
  explicit TarFile(const std::string& path, std::stop_token stop = {});
  /// As above, for a file that is open. @param label for messages
  TarFile(base::Fd file, std::string label, std::stop_token stop);

  [[nodiscard]] const std::string& path() const { return path_; }
  /// Size in bytes of the regular file `name`; nullopt when it does not exist. Symbolic and hard links are followed
  /// inside the archive, at most 8 of them.
  [[nodiscard]] std::optional<std::int64_t> size(const std::string& name) const;
  /// The most bytes that a member may decompress to.
  [[nodiscard]] std::uint64_t unpacked_limit() const { return limit_; }
  /// Size in bytes of the archive itself, as it is on disk.
  [[nodiscard]] std::int64_t packed_size() const;
  /// Whether the regular file `name` begins like a compressed file.
  [[nodiscard]] bool is_compressed(const std::string& name) const;
  /// The content of the regular file `name`; nullptr when it does not exist.
  [[nodiscard]] std::unique_ptr<base::ByteStream> open(const std::string& name) const;

 private:
  struct Member {
    std::size_t ordinal = 0;  ///< position in the archive; of members of the same name the last counts
    std::int64_t size = 0;    ///< bytes
    bool compressed = false;
    std::string link;  ///< a normalized name, when this is a link
  };

  [[nodiscard]] const Member* find(const std::string& name) const;

  std::string path_;
  std::stop_token stop_;
  base::Fd fd_;
  std::uint64_t limit_;  ///< bytes of a member
  std::map<std::string, Member> members_;
};

}  // namespace berth::source
