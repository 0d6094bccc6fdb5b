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

/// An archive, plain or compressed once with gzip, bzip2, xz or zstd, and the names in it. It unpacks, and each of its
/// members has, at most what base::unpacked_limit says for the size of the file. Members may be opened from
/// several threads at once: each reads with a reader of its own. Streams must not outlive this.
class TarFile {
 public:
  /// Reads the names. @throws Error when it cannot be opened, is no tar archive, or has more than 100000 members or
  /// 16 MiB of names; Error(interrupted) on a stop request, which streams heed, too
  explicit TarFile(const std::string& path, std::stop_token stop = {});
  /// As above, for a file that is open. @param label for messages
  TarFile(base::Fd file, std::string label, std::stop_token stop);

  [[nodiscard]] const std::string& path() const { return path_; }
  /// Size in bytes of the regular file `name`; nullopt when there is none. Symbolic and hard links are followed inside
  /// the archive, at most 8 of them.
  [[nodiscard]] std::optional<std::int64_t> size(const std::string& name) const;
  /// The most bytes that something in it may unpack to.
  [[nodiscard]] std::uint64_t unpacked_limit() const { return limit_; }
  /// Size in bytes of the archive itself, as it is on disk.
  [[nodiscard]] std::int64_t packed_size() const;
  /// Whether the regular file `name` begins as a compressed file does.
  [[nodiscard]] bool is_compressed(const std::string& name) const;
  /// The content of the regular file `name`. nullptr when there is none
  [[nodiscard]] std::unique_ptr<base::ByteStream> open(const std::string& name) const;

 private:
  struct Member {
    std::size_t ordinal = 0;  // position in the archive; names may be repeated, and then the last one counts
    std::int64_t size = 0;
    bool compressed = false;
    std::string link;  // a normalized name, when this is a link
  };

  [[nodiscard]] const Member* find(const std::string& name) const;

  std::string path_;
  std::stop_token stop_;
  base::Fd fd_;
  std::uint64_t limit_;  // bytes of a member
  std::map<std::string, Member> members_;
};

/// The whole stream as a text. @throws Error(verification) naming `document` when it has more than `limit` bytes
std::string read_stream(base::ByteStream& stream, std::uint64_t limit, std::string_view document);

}  // namespace berth::source
