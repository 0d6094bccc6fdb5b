// SPDX-License-Identifier: LGPL-2.1-or-later
// Digests as documents and users write them.
#include "base/digest.hpp"

#include "harness.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace berth;
  const auto text = fuzz::text_of(data, size);
  const auto digest = fuzz::accepted([&] { return base::Digest::parse(text, "fuzz"); });
  if (digest) {
    const std::size_t length = digest->algorithm() == base::DigestAlgorithm::sha256 ? 64 : 128;
    fuzz::require(digest->text() == text, "a digest is written as it was read", text);
    fuzz::require(digest->hex().size() == length, "a digest has the length of its algorithm", text);
    fuzz::require(digest->hex().find_first_not_of("0123456789abcdef") == std::string::npos,
                  "a digest holds nothing but hex digits, so it can be part of a path", text);
    fuzz::require(base::Digest(digest->algorithm(), digest->hex()) == *digest, "equal parts are equal digests", text);
  }
  const auto own = base::digest_of(text);
  fuzz::require(base::Digest::parse(own.text()) == own, "a computed digest is parsed", own.text());
  return 0;
}
