#include "base/unpack.hpp"

#include <archive.h>
#include <gmock/gmock.h>

#include <algorithm>
#include <array>

#include "base/error.hpp"
#include "failure.hpp"
#include "packed.hpp"

namespace berth::base {
namespace {

using test::compress;
using test::failure_of;
using test::PieceStream;
using testing::HasSubstr;

constexpr std::uint64_t enough = 1U << 30U;

std::string drained(const std::string& packed, std::uint64_t limit = enough, bool fails = false) {
  const auto stream = unpack(std::make_unique<PieceStream>(packed, fails), limit, "x");
  std::string text;
  std::array<std::byte, 7000> buffer{};
  while (const auto count = stream->read(buffer)) {
    text.append(reinterpret_cast<const char*>(buffer.data()), count);
  }
  return text;
}

constexpr std::array<int, 4> filters{ARCHIVE_FILTER_GZIP, ARCHIVE_FILTER_ZSTD, ARCHIVE_FILTER_XZ, ARCHIVE_FILTER_BZIP2};

TEST(Unpack, KnowsFourKinds) {
  std::string text;
  for (int at = 0; at < 100'000; ++at) {
    text += std::to_string(at);
  }
  for (const int filter : filters) {
    const auto packed = compress(text, filter);
    EXPECT_TRUE(looks_compressed(packed));
    EXPECT_EQ(drained(packed), text);
  }
  EXPECT_FALSE(looks_compressed(text));
  EXPECT_FALSE(looks_compressed(""));
  EXPECT_FALSE(looks_compressed("BZhello.json"));  // the name of a member of an archive
}

TEST(Unpack, IsBounded) {
  for (const int filter : filters) {
    const auto packed = compress(std::string(100'000, 'x'), filter);
    EXPECT_EQ(drained(packed, 100'000).size(), 100'000U);
    EXPECT_THAT(failure_of([&] { drained(packed, 99'999); }).message(),
                HasSubstr("x: it unpacks to more than 99999 bytes"));
  }
}

TEST(Unpack, RefusesWhatIsPackedTwice) {
  for (const int inner : filters) {
    for (const int outer : filters) {
      const auto packed = compress(compress(std::string(10'000, 'x'), inner), outer);
      const auto error = failure_of([&] { drained(packed); });
      EXPECT_THAT(error.message(), HasSubstr("packed more than once"));
      EXPECT_EQ(error.kind(), ErrorKind::verification);
    }
  }
}

TEST(Unpack, KeepsFailuresOfTheInnerStream) {
  const auto packed = compress(std::string(100'000, 'x') + "y", ARCHIVE_FILTER_GZIP);
  EXPECT_THAT(failure_of([&] { drained(packed.substr(0, 20), enough, true); }).message(),
              HasSubstr("the inner one failed"));
  EXPECT_THAT(failure_of([&] { drained(packed, enough, true); }).message(), HasSubstr("the inner one failed"));
}

TEST(Unpack, NoticesDamage) {
  const auto packed = compress(std::string(100'000, 'x') + "y", ARCHIVE_FILTER_GZIP);
  EXPECT_EQ(failure_of([&] { drained(packed.substr(0, packed.size() / 2)); }).kind(), ErrorKind::verification);
}

TEST(UnpackedLimit, FollowsTheSizeAndNeverOverflows) {
  EXPECT_EQ(unpacked_limit(0), std::uint64_t{4} << 30U);
  EXPECT_EQ(unpacked_limit(10'000'000'000), 11'000'000'000'000U);
  EXPECT_EQ(unpacked_limit(~std::uint64_t{0} / 2), ~std::uint64_t{0});
}

}  // namespace
}  // namespace berth::base
