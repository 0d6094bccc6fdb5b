// SPDX-License-Identifier: LGPL-2.1-or-later
#include "store/content/ostree_writer.hpp"

#include <sys/stat.h>

#include <vector>

#include "store/ostree/libostree.hpp"
#include "store/ostree/xattrs.hpp"

namespace berth::store {
namespace {

constexpr std::size_t small_size = std::size_t{64} << 10U;
constexpr std::size_t piece_size = std::size_t{128} << 10U;

Checksum checksum_from(const char* hex, const Failure& failure, std::string_view what) {
  if (hex == nullptr) {
    failure.raise(what);
  }
  return Checksum::from_hex(hex);
}

}  // namespace

Checksum OstreeWriter::file(const Ownership& ownership, Content content) {
  if (content.size() > small_size) {
    return large_file(ownership, content);
  }
  std::vector<std::byte> bytes(content.size());
  return small_file(ownership, content.fill(bytes));
}

Checksum OstreeWriter::small_file(const Ownership& ownership, std::span<const std::byte> bytes) const {
  const auto xattrs = xattrs_variant(ownership.xattrs);
  const std::byte nothing{};
  const std::byte* data = bytes.empty() ? &nothing : bytes.data();
  Failure failure;
  const CharsPtr hex(libostree().repo_write_regfile_inline(
      repository_, nullptr, ownership.uid, ownership.gid, S_IFREG | ownership.permissions, xattrs.get(),
      reinterpret_cast<const guint8*>(data), bytes.size(), nullptr, failure.out()));
  return checksum_from(hex.get(), failure, "store a file");
}

// libostree compares a streamed file with the disk reserve only when it is complete, so that a hostile header could
// fill the disk before. So the declared size is compared first.
Checksum OstreeWriter::large_file(const Ownership& ownership, Content& content) {
  room_.require(content.size());
  const auto xattrs = xattrs_variant(ownership.xattrs);
  Failure failure;
  const GObjectPtr<OstreeContentWriter> writer(
      libostree().repo_write_regfile(repository_, nullptr, ownership.uid, ownership.gid,
                                     S_IFREG | ownership.permissions, content.size(), xattrs.get(), failure.out()));
  if (!writer) {
    failure.raise("store a file");
  }
  std::vector<std::byte> piece(piece_size);
  while (content.left() > 0) {
    const auto bytes = content.fill(piece);
    room_.take(bytes.size());  // other programs write, too
    if (libostree().output_stream_write_all(reinterpret_cast<GOutputStream*>(writer.get()), bytes.data(), bytes.size(),
                                            nullptr, nullptr, failure.out()) == 0) {
      failure.raise("store a file");
    }
  }
  const CharsPtr hex(libostree().content_writer_finish(writer.get(), nullptr, failure.out()));
  return checksum_from(hex.get(), failure, "store a file");
}

Checksum OstreeWriter::symbolic_link(std::uint32_t uid, std::uint32_t gid, const std::string& target) {
  Failure failure;
  const CharsPtr hex(
      libostree().repo_write_symlink(repository_, nullptr, uid, gid, nullptr, target.c_str(), nullptr, failure.out()));
  return checksum_from(hex.get(), failure, "store a symbolic link");
}

}  // namespace berth::store
