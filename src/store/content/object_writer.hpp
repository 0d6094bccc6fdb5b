// SPDX-License-Identifier: LGPL-2.1-or-later
// Content objects written without libostree, in the documented format of bare and bare-user repositories. The speed of
// a pull depends on it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <tuple>
#include <vector>

#include "base/sha256.hpp"
#include "store/content/content.hpp"
#include "store/content/stream_digest.hpp"
#include "store/ostree/object_staging.hpp"
#include "store/ostree/options.hpp"
#include "store/tree/checksum.hpp"
#include "store/tree/tree.hpp"

namespace berth::store {

/// Writes into an ObjectStaging. For one thread.
class ObjectWriter {
 public:
  /// @param staging must outlive the writer
  /// @param digest of the stream that contents come from; may be null
  ObjectWriter(ObjectStaging& staging, RepositoryMode mode, StreamDigest* digest);

  // See ContentWriter.
  [[nodiscard]] Checksum file(const Ownership& ownership, Content content);
  [[nodiscard]] Checksum symbolic_link(std::uint32_t uid, std::uint32_t gid, const std::string& target);

 private:
  void begin(const Ownership& ownership);
  void hash(std::span<const std::byte> bytes);
  [[nodiscard]] Checksum small_file(const Ownership& ownership, Content& content);
  [[nodiscard]] Checksum large_file(const Ownership& ownership, Content& content);
  [[nodiscard]] mode_t mode_of(const Ownership& ownership, mode_t type) const;
  [[nodiscard]] mode_t first_mode_of(const Ownership& ownership, mode_t type) const;
  void set_metadata(int fd, const Ownership& ownership, mode_t type, mode_t created_with) const;

  ObjectStaging& staging_;
  RepositoryMode mode_;
  StreamDigest* digest_;
  base::Sha256 hash_;
  struct alignas(ObjectStaging::direct_alignment) Block {
    std::byte bytes[ObjectStaging::direct_alignment];
  };
  std::unique_ptr<Block[]> blocks_;  ///< not initialized: most images use few of them
  std::span<std::byte> buffer_;
  using HeaderKey = std::tuple<std::uint32_t, std::uint32_t, std::uint32_t>;
  std::map<HeaderKey, std::vector<std::byte>> headers_;  ///< of files without xattrs, which have few kinds of header
};

}  // namespace berth::store
