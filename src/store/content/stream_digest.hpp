// SPDX-License-Identifier: LGPL-2.1-or-later
// The digest of a stream whose bytes are also hashed as parts of its content.
#pragma once

#include <cstddef>
#include <optional>
#include <span>

#include "base/digest.hpp"
#include "base/sha256.hpp"

namespace berth::store {

/// The diff id of a layer covers the same bytes as the names of its objects, and two digests together take hardly
/// longer than one. So bytes are not hashed at once but wait until they are hashed as part of an object.
class StreamDigest {
 public:
  explicit StreamDigest(base::DigestAlgorithm algorithm);

  /// Hashes the waiting bytes. Call it before they change.
  void settle();
  /// Adds the next bytes of the stream. They must not change until settle() or finish(). @pre no bytes wait
  void add(std::span<const std::byte> bytes);
  /// As `other.update(bytes)`, while as many waiting bytes are hashed.
  void update(base::Sha256& other, std::span<const std::byte> bytes);
  [[nodiscard]] base::Digest finish();

 private:
  base::Sha256 sha256_;
  std::optional<base::Hasher> hasher_;  ///< for another algorithm; then no bytes wait
  std::span<const std::byte> waiting_;
};

}  // namespace berth::store
