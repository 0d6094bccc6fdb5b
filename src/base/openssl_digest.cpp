// SPDX-License-Identifier: LGPL-2.1-or-later
#include "base/openssl_digest.hpp"

#include "base/error.hpp"
#include "base/late_library.hpp"

namespace berth::base {
namespace {

BERTH_DLOPEN_NOTE(libcrypto_note, "libcrypto.so.3", "digests",
                  "Computes SHA-512, and SHA-256 on processors without instructions for it", "recommended");

/// The functions of OpenSSL that berth uses, by their names without `EVP_`.
struct LibCrypto {
  LateLibrary library{"libcrypto.so.3"};
  decltype(&::EVP_MD_CTX_new) context_new = library["EVP_MD_CTX_new"];
  decltype(&::EVP_MD_CTX_free) context_free = library["EVP_MD_CTX_free"];
  decltype(&::EVP_DigestInit_ex) digest_init = library["EVP_DigestInit_ex"];
  decltype(&::EVP_DigestUpdate) digest_update = library["EVP_DigestUpdate"];
  decltype(&::EVP_DigestFinal_ex) digest_final = library["EVP_DigestFinal_ex"];
  decltype(&::EVP_sha256) sha256 = library["EVP_sha256"];
  decltype(&::EVP_sha512) sha512 = library["EVP_sha512"];
};

const LibCrypto& libcrypto() {
  static const LibCrypto functions;
  return functions;
}

/// OpenSSL returns 1 on success. These digests fail only without memory, or when the configuration forbids them.
void check(int result) {
  if (result != 1) {
    throw Error(ErrorKind::failed, "OpenSSL cannot compute a digest", "check the configuration of OpenSSL");
  }
}

}  // namespace

OpensslDigest::OpensslDigest(Algorithm algorithm) : context_(libcrypto().context_new()) {
  check(context_ == nullptr ? 0 : 1);
  const auto* const type = algorithm == Algorithm::sha256 ? libcrypto().sha256() : libcrypto().sha512();
  if (libcrypto().digest_init(context_, type, nullptr) != 1) {
    libcrypto().context_free(context_);
    check(0);
  }
}

OpensslDigest::~OpensslDigest() {
  libcrypto().context_free(context_);
}

void OpensslDigest::restart() {
  // Without an algorithm OpenSSL keeps that of the context, and need not fetch it again.
  check(libcrypto().digest_init(context_, nullptr, nullptr));
}

void OpensslDigest::update(std::span<const std::byte> bytes) {
  check(libcrypto().digest_update(context_, bytes.data(), bytes.size()));
}

void OpensslDigest::finish(std::span<unsigned char> result) {
  unsigned int length = 0;
  check(libcrypto().digest_final(context_, result.data(), &length));
}

}  // namespace berth::base
