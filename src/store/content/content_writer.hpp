// SPDX-License-Identifier: LGPL-2.1-or-later
// Writes content objects into the open transaction of a repository.
#pragma once

#include <cstdint>
#include <string>
#include <variant>

#include "store/content/content.hpp"
#include "store/content/object_writer.hpp"
#include "store/content/ostree_writer.hpp"
#include "store/content/stream_digest.hpp"
#include "store/ostree/repository.hpp"
#include "store/tree/checksum.hpp"
#include "store/tree/tree.hpp"

namespace berth::store {

/// Writes objects by ObjectWriter or by libostree, as the StoreOptions of the repository select; the objects are the
/// same. Objects that are stored already are not written again. For one thread; several writers may work on one
/// transaction.
class ContentWriter {
 public:
  /// @param repository must outlive the writer; with a transaction open
  /// @param digest of the stream that the contents come from, which is hashed along with them; may be null
  explicit ContentWriter(const Repository& repository, StreamDigest* digest = nullptr);

  /// Writes a regular file, in bounded memory.
  /// @throws Error(failed) when the disk reserve would be touched, before the file is written; Error(verification) when
  ///         the content ends early; and on other failures
  [[nodiscard]] Checksum file(const Ownership& ownership, Content content);

  /// Writes a symbolic link. @param target UTF-8, not empty
  [[nodiscard]] Checksum symbolic_link(std::uint32_t uid, std::uint32_t gid, const std::string& target);

  /// Writes the empty file 0644 root:root that represents a whiteout marker.
  [[nodiscard]] Checksum marker();

 private:
  std::variant<OstreeWriter, ObjectWriter> writer_;
};

}  // namespace berth::store
