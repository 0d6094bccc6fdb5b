// SPDX-License-Identifier: LGPL-2.1-or-later
// Content objects written by libostree, which is slower; see [pull] writer in berth.conf(5).
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "store/content/content.hpp"
#include "store/ostree/disk_reserve.hpp"
#include "store/ostree/glib.hpp"
#include "store/ostree/repository.hpp"
#include "store/tree/checksum.hpp"
#include "store/tree/tree.hpp"

namespace berth::store {

/// Writes into the open transaction of libostree, which names each object by its content and links it atomically into a
/// staging directory of its own. For one thread; several writers may work on one transaction.
class OstreeWriter {
 public:
  /// @param repository must outlive the writer; with a transaction open
  explicit OstreeWriter(const Repository& repository)
      : repository_(repository.handle()), room_(repository.directory(), repository.reserve()) {}

  // See ContentWriter.
  [[nodiscard]] Checksum file(const Ownership& ownership, Content content);
  [[nodiscard]] Checksum symbolic_link(std::uint32_t uid, std::uint32_t gid, const std::string& target);

 private:
  [[nodiscard]] Checksum small_file(const Ownership& ownership, std::span<const std::byte> bytes) const;
  [[nodiscard]] Checksum large_file(const Ownership& ownership, Content& content);

  OstreeRepo* repository_;
  DiskReserve room_;
};

}  // namespace berth::store
