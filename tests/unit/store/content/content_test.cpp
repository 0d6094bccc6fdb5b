// SPDX-License-Identifier: LGPL-2.1-or-later
#include "store/content/content.hpp"

#include <gmock/gmock.h>

#include <array>
#include <string>

#include "base/error.hpp"
#include "store/fakes.hpp"

namespace berth::store {
namespace {

using testing::MemoryStream;

class ContentTest : public ::testing::Test {
 protected:
  Content content(std::uint64_t size) {
    return {size, [this](std::span<std::byte> buffer) { return stream_.read(buffer); }};
  }

  MemoryStream stream_{"0123456789", 3};
  std::array<std::byte, 100> buffer_{};
};

TEST_F(ContentTest, EndsAtItsSize) {
  auto four = content(4);
  EXPECT_EQ(four.next(buffer_).size(), 3U);
  EXPECT_EQ(four.left(), 1U);
  EXPECT_EQ(four.next(buffer_).size(), 1U);
  EXPECT_EQ(four.left(), 0U);
  EXPECT_TRUE(four.next(buffer_).empty());
}

TEST_F(ContentTest, FillsTheWholeBuffer) {
  auto nine = content(9);
  EXPECT_EQ(nine.fill(std::span(buffer_).first(5)).size(), 5U);
  EXPECT_EQ(nine.fill(buffer_).size(), 4U);
  EXPECT_EQ(nine.size(), 9U);
}

TEST_F(ContentTest, RefusesASourceThatEndsEarly) {
  auto eleven = content(11);
  try {
    eleven.fill(buffer_);
    FAIL();
  } catch (const base::Error& error) {
    EXPECT_EQ(error.kind(), base::ErrorKind::verification);
    EXPECT_EQ(error.message(), "a file ends after 10 of 11 bytes");
  }
}

}  // namespace
}  // namespace berth::store
