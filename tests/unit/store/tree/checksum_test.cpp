// SPDX-License-Identifier: LGPL-2.1-or-later
#include "store/tree/checksum.hpp"

#include <gtest/gtest.h>

#include "base/error.hpp"

namespace berth::store {
namespace {

TEST(Checksum, ReadsAndWritesHex) {
  const std::string hex = "00ff" + std::string(60, 'a');
  EXPECT_EQ(Checksum::from_hex(hex).hex(), hex);
}

TEST(Checksum, RefusesOtherText) {
  EXPECT_THROW(Checksum::from_hex(""), base::Error);
  EXPECT_THROW(Checksum::from_hex(std::string(63, 'a')), base::Error);
  EXPECT_THROW(Checksum::from_hex(std::string(64, 'A')), base::Error);
  EXPECT_THROW(Checksum::from_hex(std::string(63, 'a') + "g"), base::Error);
}

TEST(Checksum, RefusesOtherLengths) {
  const std::array<std::uint8_t, 31> few{};
  EXPECT_THROW(Checksum::from_bytes(few), base::Error);
}

}  // namespace
}  // namespace berth::store
