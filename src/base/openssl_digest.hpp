// SPDX-License-Identifier: LGPL-2.1-or-later
// Digests as OpenSSL computes them.
#pragma once

#include <openssl/evp.h>

#include <cstddef>
#include <span>

namespace berth::base {

/// Computes one digest after another. OpenSSL is loaded with the first object: most commands do not need it.
class OpensslDigest {
 public:
  enum class Algorithm { sha256, sha512 };

  /// Begins a digest.
  explicit OpensslDigest(Algorithm algorithm);
  OpensslDigest(const OpensslDigest&) = delete;
  OpensslDigest& operator=(const OpensslDigest&) = delete;
  ~OpensslDigest();

  void restart();
  void update(std::span<const std::byte> bytes);
  /// Ends the digest; call restart() before the next one. @param result as long as the digest
  void finish(std::span<unsigned char> result);

 private:
  EVP_MD_CTX* context_;
};

}  // namespace berth::base
