// SPDX-License-Identifier: LGPL-2.1-or-later
#include "store/layer/read_ahead.hpp"

#include <gmock/gmock.h>

#include <atomic>

#include "base/error.hpp"
#include "packed.hpp"
#include "store/fakes.hpp"

namespace berth::store {
namespace {

using namespace testing;  // NOLINT(google-build-using-namespace): test helpers of the store
using test::drain;

/// Returns `count` pieces of `size` bytes, then fails; or never ends.
class Source final : public base::ByteStream {
 public:
  Source(std::size_t size, int count, std::atomic<int>& reads) : size_(size), count_(count), reads_(reads) {}
  std::size_t read(std::span<std::byte> buffer) override {
    if (++reads_ > count_ && count_ >= 0) {
      throw base::Error(base::ErrorKind::verification, "damaged");
    }
    const auto size = std::min(size_, buffer.size());
    std::fill_n(buffer.begin(), size, std::byte{'x'});
    return size;
  }

 private:
  std::size_t size_;
  int count_;
  std::atomic<int>& reads_;
};

TEST(ReadAhead, ReturnsTheBytesOfItsSource) {
  for (const std::size_t size : {0U, 1U, 262'144U, 262'145U, 3'000'000U}) {
    std::string text(size, '\0');
    for (std::size_t i = 0; i < size; ++i) {
      text[i] = static_cast<char>(i * 7 / 3);
    }
    ReadAhead stream(std::make_unique<MemoryStream>(text, 100'000));
    EXPECT_EQ(drain(stream, 70'000), text);
    std::byte more{};
    EXPECT_EQ(stream.read(std::span(&more, 1)), 0U);
  }
}

TEST(ReadAhead, ReturnsEarlierBytesBeforeAFailureAndKeepsFailing) {
  std::atomic<int> reads{0};
  ReadAhead stream(std::make_unique<Source>(1000, 3, reads));
  std::vector<std::byte> buffer(10'000);
  std::size_t seen = 0;
  while (seen < 3000) {
    seen += stream.read(buffer);
  }
  EXPECT_EQ(seen, 3000U);
  EXPECT_THROW(static_cast<void>(stream.read(buffer)), base::Error);
  EXPECT_THROW(static_cast<void>(stream.read(buffer)), base::Error);
  EXPECT_EQ(reads, 4);
}

TEST(ReadAhead, ReadsAheadNoMoreThanItsBuffers) {
  std::atomic<int> reads{0};
  {
    ReadAhead stream(std::make_unique<Source>(std::size_t{1} << 20U, -1, reads));
    std::byte one{};
    EXPECT_EQ(stream.read(std::span(&one, 1)), 1U);
  }
  EXPECT_GE(reads, 1);
  EXPECT_LE(reads, 5);
}

}  // namespace
}  // namespace berth::store
