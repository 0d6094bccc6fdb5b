// The digest of a stream whose bytes are hashed a second time, as parts of what it holds.
#pragma once

#include <cstddef>
#include <optional>
#include <span>

#include "base/digest.hpp"
#include "base/sha256.hpp"

namespace berth::store {

/// The diff id of a layer covers the same bytes as the names of its objects, and two digests at once take hardly longer
/// than one. So what passes is not hashed at once but waits for an object whose bytes are.
class StreamDigest {
 public:
  explicit StreamDigest(base::DigestAlgorithm algorithm);

  /// Hashes what waits; to be called before those bytes change.
  void settle();
  /// Bytes that come next in the stream. They must stay as they are until settle() or finish(). @pre nothing waits
  void add(std::span<const std::byte> bytes);
  /// As `other.update(bytes)`, while as many waiting bytes are hashed.
  void update(base::Sha256& other, std::span<const std::byte> bytes);
  [[nodiscard]] base::Digest finish();

 private:
  base::Sha256 sha256_;
  std::optional<base::Hasher> hasher_;  ///< for another algorithm; then nothing waits
  std::span<const std::byte> waiting_;
};

}  // namespace berth::store
