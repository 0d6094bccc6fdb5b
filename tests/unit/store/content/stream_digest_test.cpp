// SPDX-License-Identifier: LGPL-2.1-or-later
#include "store/content/stream_digest.hpp"

#include <gtest/gtest.h>

#include <string>

namespace berth::store {
namespace {

std::span<const std::byte> bytes_of(std::string_view text) {
  return std::as_bytes(std::span(text));
}

TEST(StreamDigest, HashesTheStreamAndTheObjectsInIt) {
  const std::string first(5000, 'a');
  const std::string second(300, 'b');
  StreamDigest digest(base::DigestAlgorithm::sha256);
  base::Sha256 object;
  digest.settle();
  digest.add(bytes_of(first));
  digest.update(object, bytes_of(first).subspan(512, 1000));
  digest.settle();
  digest.add(bytes_of(second));
  digest.update(object, bytes_of(second));
  digest.update(object, bytes_of(first));  // more than is buffered
  EXPECT_EQ(digest.finish(), base::digest_of(first + second));
  const auto expected = base::digest_of(first.substr(0, 1000) + second + first);
  std::string hex;
  for (const auto byte : object.finish()) {
    constexpr std::string_view digits = "0123456789abcdef";
    hex += digits[byte >> 4U];
    hex += digits[byte & 15U];
  }
  EXPECT_EQ(hex, expected.hex());
}

TEST(StreamDigest, SupportsOtherAlgorithms) {
  StreamDigest digest(base::DigestAlgorithm::sha512);
  base::Sha256 object;
  digest.add(bytes_of("text"));
  digest.update(object, bytes_of("text"));
  digest.settle();
  EXPECT_EQ(digest.finish(), base::digest_of("text", base::DigestAlgorithm::sha512));
}

}  // namespace
}  // namespace berth::store
