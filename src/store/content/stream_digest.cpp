// SPDX-License-Identifier: LGPL-2.1-or-later
#include "store/content/stream_digest.hpp"

#include <algorithm>
#include <utility>

#include "store/tree/checksum.hpp"

namespace berth::store {

StreamDigest::StreamDigest(base::DigestAlgorithm algorithm) {
  if (algorithm != base::DigestAlgorithm::sha256) {
    hasher_.emplace(algorithm);
  }
}

void StreamDigest::settle() {
  sha256_.update(std::exchange(waiting_, {}));
}

void StreamDigest::add(std::span<const std::byte> bytes) {
  if (hasher_) {
    hasher_->update(bytes);
  } else {
    waiting_ = bytes;
  }
}

void StreamDigest::update(base::Sha256& other, std::span<const std::byte> bytes) {
  const auto count = std::min(bytes.size(), waiting_.size());
  base::Sha256::update_both(other, bytes, sha256_, waiting_.first(count));
  waiting_ = waiting_.subspan(count);
}

base::Digest StreamDigest::finish() {
  if (hasher_) {
    return hasher_->finish();
  }
  settle();
  return {base::DigestAlgorithm::sha256, Checksum{sha256_.finish()}.hex()};
}

}  // namespace berth::store
