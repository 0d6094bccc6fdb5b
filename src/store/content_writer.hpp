// Writes content objects into the open transaction of a repository. All of it is here, for it decides the speed.
#pragma once

#include <ostree.h>

#include <cstdint>
#include <functional>
#include <span>
#include <string>

#include "store/checksum.hpp"
#include "store/glib.hpp"
#include "store/tree.hpp"

namespace berth::store {

/// OSTree's form of extended attributes, `a(ayay)`; nullptr when there are none. Values must not be empty: libostree
/// passes such attributes over when it reads files, and would then find the object corrupt.
VariantPtr xattrs_variant(const Xattrs& xattrs);

/// Several threads may write through one ContentWriter, into one transaction: libostree names each object by its
/// content, links it into the transaction's staging folder atomically, and guards its counters by a lock.
class ContentWriter {
 public:
  /// Stores up to as many bytes as fit and gives their number; 0 at the end.
  using Read = std::function<std::size_t(std::span<std::byte>)>;

  /// @param repository must outlive the writer; with a transaction open
  explicit ContentWriter(OstreeRepo* repository) : repository_(repository) {}

  /// Writes a regular file of exactly `size` bytes from `read`, in bounded memory.
  /// @throws Error when the disk reserve would be touched (before anything is written), and on other failures
  [[nodiscard]] Checksum file(const Ownership& ownership, std::uint64_t size, const Read& read) const;

  /// Writes a symbolic link. @param target UTF-8, not empty
  [[nodiscard]] Checksum symbolic_link(std::uint32_t uid, std::uint32_t gid, const std::string& target) const;

  /// Writes the empty file 0644 root:root that stands for a whiteout marker.
  [[nodiscard]] Checksum marker() const;

 private:
  [[nodiscard]] Checksum small_file(const Ownership& ownership, std::span<const std::byte> bytes) const;
  [[nodiscard]] Checksum large_file(const Ownership& ownership, std::uint64_t size, const Read& read) const;
  void ensure_room(std::uint64_t bytes) const;

  OstreeRepo* repository_;
};

}  // namespace berth::store
