// SPDX-License-Identifier: LGPL-2.1-or-later
#include "base/openssl_digest.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <array>
#include <string>
#include <string_view>

namespace berth::base {
namespace {

void update(OpensslDigest& digest, std::string_view text) {
  digest.update({reinterpret_cast<const std::byte*>(text.data()), text.size()});
}

template <std::size_t Size>
std::string finish(OpensslDigest& digest) {
  std::array<unsigned char, Size> result{};
  digest.finish(result);
  std::string hex;
  for (const unsigned char byte : result) {
    hex += fmt::format("{:02x}", byte);
  }
  return hex;
}

/// The values of FIPS 180-4's examples for "abc".
TEST(OpensslDigest, ComputesKnownDigests) {
  OpensslDigest sha256(OpensslDigest::Algorithm::sha256);
  update(sha256, "abc");
  EXPECT_EQ(finish<32>(sha256), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  OpensslDigest sha512(OpensslDigest::Algorithm::sha512);
  update(sha512, "a");
  update(sha512, "bc");
  EXPECT_EQ(finish<64>(sha512),
            "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a"
            "2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f");
}

TEST(OpensslDigest, RestartsAfterAFinishedAndAnUnfinishedDigest) {
  OpensslDigest digest(OpensslDigest::Algorithm::sha256);
  const auto empty = finish<32>(digest);
  digest.restart();
  update(digest, "abc");
  digest.restart();
  EXPECT_EQ(finish<32>(digest), empty);
}

}  // namespace
}  // namespace berth::base
