#include "store/content_writer.hpp"

#include <fmt/format.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <vector>

#include "base/error.hpp"

namespace berth::store {
namespace {

constexpr std::uint64_t small_size = std::uint64_t{64} << 10U;
constexpr std::size_t piece_size = std::size_t{128} << 10U;
constexpr std::uint64_t room_check_interval = std::uint64_t{64} << 20U;

Checksum checksum_from(const char* hex, const Failure& failure, std::string_view what) {
  if (hex == nullptr) {
    failure.raise(what);
  }
  return Checksum::from_hex(hex);
}

/// Fills `buffer` unless the data ends.
std::size_t read_fully(const ContentWriter::Read& read, std::span<std::byte> buffer) {
  std::size_t done = 0;
  while (done < buffer.size()) {
    const auto count = read(buffer.subspan(done));
    if (count == 0) {
      break;
    }
    done += count;
  }
  return done;
}

[[noreturn]] void refuse_short(std::uint64_t got, std::uint64_t size) {
  throw base::Error(base::ErrorKind::verification, fmt::format("a file ends after {} of {} bytes", got, size));
}

}  // namespace

VariantPtr xattrs_variant(const Xattrs& xattrs) {
  if (xattrs.empty()) {
    return nullptr;
  }
  GVariantBuilder builder;
  g_variant_builder_init(&builder, G_VARIANT_TYPE("a(ayay)"));
  for (const auto& [key, value] : xattrs) {
    GVariant* bytes = g_variant_new_fixed_array(G_VARIANT_TYPE_BYTE, value.data(), value.size(), 1);
    g_variant_builder_add(&builder, "(@ay@ay)", g_variant_new_bytestring(key.c_str()), bytes);
  }
  return own(g_variant_builder_end(&builder));
}

Checksum ContentWriter::file(const Ownership& ownership, std::uint64_t size, const Read& read) const {
  if (size > small_size) {
    return large_file(ownership, size, read);
  }
  std::vector<std::byte> bytes(size);
  const auto got = read_fully(read, bytes);
  if (got != size) {
    refuse_short(got, size);
  }
  return small_file(ownership, bytes);
}

Checksum ContentWriter::small_file(const Ownership& ownership, std::span<const std::byte> bytes) const {
  const auto xattrs = xattrs_variant(ownership.xattrs);
  const std::byte nothing{};
  const std::byte* data = bytes.empty() ? &nothing : bytes.data();
  Failure failure;
  const CharsPtr hex(ostree_repo_write_regfile_inline(
      repository_, nullptr, ownership.uid, ownership.gid, S_IFREG | ownership.permissions, xattrs.get(),
      reinterpret_cast<const guint8*>(data), bytes.size(), nullptr, failure.out()));
  return checksum_from(hex.get(), failure, "store a file");
}

Checksum ContentWriter::large_file(const Ownership& ownership, std::uint64_t size, const Read& read) const {
  ensure_room(size);
  const auto xattrs = xattrs_variant(ownership.xattrs);
  Failure failure;
  const GObjectPtr<OstreeContentWriter> writer(ostree_repo_write_regfile(repository_, nullptr, ownership.uid,
                                                                         ownership.gid, S_IFREG | ownership.permissions,
                                                                         size, xattrs.get(), failure.out()));
  if (!writer) {
    failure.raise("store a file");
  }
  std::vector<std::byte> piece(piece_size);
  std::uint64_t done = 0;
  while (const auto count =
             read_fully(read, std::span(piece).first(std::min<std::uint64_t>(piece_size, size - done)))) {
    if (g_output_stream_write_all(G_OUTPUT_STREAM(writer.get()), piece.data(), count, nullptr, nullptr,
                                  failure.out()) == 0) {
      failure.raise("store a file");
    }
    done += count;
    if (done % room_check_interval == 0) {
      ensure_room(size - done);  // others write, too
    }
  }
  if (done != size) {
    refuse_short(done, size);
  }
  const CharsPtr hex(ostree_content_writer_finish(writer.get(), nullptr, failure.out()));
  return checksum_from(hex.get(), failure, "store a file");
}

Checksum ContentWriter::symbolic_link(std::uint32_t uid, std::uint32_t gid, const std::string& target) const {
  Failure failure;
  const CharsPtr hex(
      ostree_repo_write_symlink(repository_, nullptr, uid, gid, nullptr, target.c_str(), nullptr, failure.out()));
  return checksum_from(hex.get(), failure, "store a symbolic link");
}

Checksum ContentWriter::marker() const {
  return small_file(Ownership{0, 0, 0644, {}}, {});
}

// libostree compares a streamed file with the disk reserve only when it is complete: a hostile header could fill the
// disk before. So the declared size is compared first.
void ContentWriter::ensure_room(std::uint64_t bytes) const {
  struct statvfs disk {};
  base::check_errno(::fstatvfs(ostree_repo_get_dfd(repository_), &disk), "look at the repository's file system");
  guint64 reserve = 0;
  Failure failure;
  if (ostree_repo_get_min_free_space_bytes(repository_, &reserve, failure.out()) == 0) {
    failure.raise("read the repository's disk reserve");
  }
  const std::uint64_t free_bytes = std::uint64_t{::getuid() == 0 ? disk.f_bfree : disk.f_bavail} * disk.f_bsize;
  const std::uint64_t room = free_bytes > reserve ? free_bytes - reserve : 0;
  if (bytes > room) {
    throw base::Error(base::ErrorKind::failed,
                      fmt::format("a file of {} bytes does not fit: the repository's file system has room for {} bytes "
                                  "above its reserve of {}",
                                  bytes, room, reserve),
                      "free space on the file system of the repository");
  }
}

}  // namespace berth::store
