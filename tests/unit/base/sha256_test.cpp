// SPDX-License-Identifier: LGPL-2.1-or-later
#include "base/sha256.hpp"

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <tuple>

#include "base/digest.hpp"

namespace berth::base {
namespace {

using Engine = Sha256::Engine;

std::span<const std::byte> bytes_of(std::string_view text) {
  return std::as_bytes(std::span(text));
}

std::string hex(const Sha256::Result& result) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string text;
  for (const auto byte : result) {
    text += digits[byte >> 4U];
    text += digits[byte & 15U];
  }
  return text;
}

/// Bytes that differ everywhere.
std::string sample(std::size_t size, unsigned int seed) {
  std::string text(size, '\0');
  for (auto& byte : text) {
    seed = seed * 1103515245U + 12345U;
    byte = static_cast<char>(seed >> 16U);
  }
  return text;
}

class Sha256Test : public ::testing::TestWithParam<Engine> {};

TEST_P(Sha256Test, AgreesWithOpenSslForEveryLength) {
  Sha256 hash(GetParam());
  for (std::size_t size = 0; size < 300; ++size) {
    const auto text = sample(size, 7);
    hash.begin();
    hash.update(bytes_of(text));
    EXPECT_EQ(hex(hash.finish()), digest_of(text).hex()) << size;
  }
}

TEST_P(Sha256Test, DoesNotDependOnTheSizeOfThePieces) {
  const auto text = sample(1000, 1);
  for (std::size_t piece = 1; piece < 200; ++piece) {
    Sha256 hash(GetParam());
    for (std::string_view rest = text; !rest.empty(); rest.remove_prefix(std::min(piece, rest.size()))) {
      hash.update(bytes_of(rest.substr(0, piece)));
    }
    EXPECT_EQ(hex(hash.finish()), digest_of(text).hex()) << piece;
  }
}

TEST_P(Sha256Test, DiscardsAnUnfinishedDigest) {
  Sha256 hash(GetParam());
  hash.update(bytes_of("half of"));
  hash.begin();
  hash.update(bytes_of("a"));
  hash.update(bytes_of("bc"));
  EXPECT_EQ(hex(hash.finish()), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

TEST_P(Sha256Test, ComputesTwoAtATime) {
  for (const auto& [one, two] : {std::pair{0, 0}, {1, 0}, {0, 64}, {63, 64}, {128, 128}, {1000, 5000}, {5000, 1000}}) {
    const auto first_text = sample(static_cast<std::size_t>(one), 2);
    const auto second_text = sample(static_cast<std::size_t>(two), 3);
    for (const std::size_t before : {0, 1, 37, 64}) {
      Sha256 first(GetParam());
      Sha256 second(GetParam());
      const auto begun = sample(before, 4);
      first.update(bytes_of(begun));
      Sha256::update_both(first, bytes_of(first_text), second, bytes_of(second_text));
      Sha256::update_both(first, bytes_of("x"), second, bytes_of("yz"));
      EXPECT_EQ(hex(first.finish()), digest_of(begun + first_text + "x").hex()) << one << ' ' << two << ' ' << before;
      EXPECT_EQ(hex(second.finish()), digest_of(second_text + "yz").hex()) << one << ' ' << two << ' ' << before;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Engines, Sha256Test, ::testing::Values(Engine::best, Engine::openssl));

}  // namespace
}  // namespace berth::base
