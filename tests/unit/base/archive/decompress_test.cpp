// SPDX-License-Identifier: LGPL-2.1-or-later
#include "base/archive/decompress.hpp"

#include <archive.h>
#include <gmock/gmock.h>

#include <array>
#include <optional>
#include <random>

#include "base/error.hpp"
#include "failure.hpp"
#include "packed.hpp"

namespace berth::base {
namespace {

using test::compress;
using test::drain;
using test::failure_of;
using test::PieceStream;
using ::testing::HasSubstr;

constexpr std::uint64_t enough = 1U << 30U;
constexpr std::array<int, 4> filters{ARCHIVE_FILTER_GZIP, ARCHIVE_FILTER_ZSTD, ARCHIVE_FILTER_XZ, ARCHIVE_FILTER_BZIP2};

std::string noise(std::size_t size) {
  std::mt19937 random(7);
  std::string text;
  for (std::size_t i = 0; i < size; ++i) {
    text += static_cast<char>(random() % 7 == 0 ? random() : 'x');
  }
  return text;
}

/// The start of a tar archive, as far as it is recognized.
std::string tar_beginning() {
  std::string text(3000, 'x');
  text.replace(257, 5, "ustar");
  return text;
}

struct Pieces {
  std::size_t in = 1000;
  std::size_t out = 10'000;
};

std::string unpack(const std::string& packed, Compression fallback = Compression::none, Pieces pieces = {},
                   std::uint64_t limit = enough) {
  const auto stream =
      decompress(std::make_unique<PieceStream>(packed, false, pieces.in), {"x", limit, "the remedy", fallback});
  return drain(*stream, pieces.out);
}

std::string refusal(const std::string& packed, Compression fallback = Compression::none, std::uint64_t limit = enough) {
  const auto error = failure_of([&] { unpack(packed, fallback, {}, limit); });
  EXPECT_EQ(error.kind(), ErrorKind::verification);
  EXPECT_FALSE(error.hint().empty());
  return error.message();
}

class Decompress : public ::testing::TestWithParam<int> {};
INSTANTIATE_TEST_SUITE_P(All, Decompress, ::testing::ValuesIn(filters));

TEST_P(Decompress, RestoresTheBytesInPiecesOfAnySize) {
  for (const std::size_t size : {1U, 511U, 300'000U}) {
    const auto text = noise(size);
    const auto packed = compress(text, GetParam());
    EXPECT_EQ(unpack(packed), text);
    EXPECT_EQ(unpack(packed, Compression::none, {1, 100'000}), text);
    EXPECT_EQ(unpack(packed, Compression::none, {100'000, 7}), text);
  }
}

TEST_P(Decompress, RefusesOutputAboveTheLimit) {
  const auto packed = compress(std::string(100'000, '\0'), GetParam());
  EXPECT_EQ(unpack(packed, Compression::none, {}, 100'000).size(), 100'000U);
  EXPECT_THAT(refusal(packed, Compression::none, 99'999), HasSubstr("x: it unpacks to more than 99999 bytes"));
}

// Each further compression could multiply the output by a thousand.
TEST_P(Decompress, RefusesBytesThatAreCompressedTwice) {
  for (const int inner : filters) {
    const auto packed = compress(compress(noise(10'000), inner), GetParam());
    EXPECT_THAT(refusal(packed), HasSubstr("compressed more than once"));
    EXPECT_THAT(failure_of([&] {
                  unpack(packed, Compression::none, {1, 1});
                }).message(),
                HasSubstr("compressed more than once"));
  }
}

TEST_P(Decompress, ReadsTheCompressedBytesToTheirEnd) {
  for (const std::size_t size : {4U, 100'000U}) {  // the first bytes are read immediately
    const auto packed = compress(noise(size), GetParam());
    const auto read_all = [&] {
      drain(*decompress(std::make_unique<PieceStream>(packed, true), {"x", enough, "", {}}));
    };
    EXPECT_THAT(failure_of(read_all).message(), HasSubstr("the inner one failed"));
  }
}

TEST_P(Decompress, KeepsFailuresOfTheInnerStream) {
  const auto packed = compress(noise(100'000), GetParam()).substr(0, 20);
  const auto read_all = [&] { drain(*decompress(std::make_unique<PieceStream>(packed, true), {"x", enough, "", {}})); };
  EXPECT_THAT(failure_of(read_all).message(), HasSubstr("the inner one failed"));
}

TEST_P(Decompress, RefusesTruncatedBytes) {
  const auto packed = compress(noise(100'000), GetParam());
  EXPECT_THAT(refusal(packed.substr(0, packed.size() / 2)), HasSubstr("x: "));
}

TEST_P(Decompress, NamesTheRemedyOfItsCaller) {
  const auto packed = compress(noise(100'000), GetParam());
  EXPECT_EQ(failure_of([&] { unpack(packed.substr(0, packed.size() / 2)); }).hint(), "the remedy");
}

TEST(DecompressGzip, JoinsMembers) {
  const auto packed = compress("first ", ARCHIVE_FILTER_GZIP) + compress("", ARCHIVE_FILTER_GZIP) +
                      compress("second", ARCHIVE_FILTER_GZIP);
  EXPECT_EQ(unpack(packed), "first second");
  EXPECT_EQ(unpack(packed, Compression::none, {1, 10'000}), "first second");
}

TEST(DecompressGzip, RefusesDamage) {
  const auto packed = compress(noise(50'000), ARCHIVE_FILTER_GZIP);
  EXPECT_THAT(refusal("", Compression::gzip), HasSubstr("truncated"));
  EXPECT_THAT(refusal(packed.substr(0, packed.size() - 1)), HasSubstr("truncated"));
  EXPECT_THAT(refusal(packed.substr(0, packed.size() / 2)), HasSubstr("truncated"));
  EXPECT_THAT(refusal(packed.substr(0, 5)), HasSubstr("truncated"));
  EXPECT_THAT(refusal(packed + "x"), HasSubstr("after the end"));
  EXPECT_THAT(refusal(packed + "\x1f"), HasSubstr("truncated"));
  EXPECT_THAT(refusal("no gzip at all", Compression::gzip), HasSubstr("damaged"));
  auto wrong_crc = packed;
  wrong_crc[packed.size() - 6] = static_cast<char>(wrong_crc[packed.size() - 6] ^ 1);
  EXPECT_THAT(refusal(wrong_crc), HasSubstr("checksum"));
}

TEST(DecompressZstd, JoinsFrames) {
  const auto packed = compress("first ", ARCHIVE_FILTER_ZSTD) + compress("second", ARCHIVE_FILTER_ZSTD);
  EXPECT_EQ(unpack(packed), "first second");
  EXPECT_EQ(unpack(packed, Compression::none, {1, 10'000}), "first second");
}

TEST(DecompressZstd, RefusesDamage) {
  const auto packed = compress(noise(50'000), ARCHIVE_FILTER_ZSTD);
  EXPECT_THAT(refusal("", Compression::zstd), HasSubstr("truncated"));
  EXPECT_THAT(refusal(packed.substr(0, packed.size() - 1)), HasSubstr("truncated"));
  EXPECT_THAT(refusal(packed + "xxxxxxxx"), HasSubstr("damaged"));
  EXPECT_THAT(refusal("no zstd at all", Compression::zstd), HasSubstr("damaged"));
}

TEST(DecompressZstd, RefusesHugeWindows) {
  // A frame header with a window of 2 GiB (window descriptor 0xA8: exponent 21 + 10).
  const std::string header("\x28\xb5\x2f\xfd\x00\xa8", 6);
  EXPECT_THAT(refusal(header + std::string(16, '\0')), HasSubstr("too much memory"));
}

// Tools label layers wrongly; the first bytes decide.
TEST(DecompressFallback, IsForBytesOfNoKnownKind) {
  const auto tar = tar_beginning();
  for (const auto fallback : {Compression::none, Compression::gzip, Compression::zstd}) {
    EXPECT_EQ(unpack(tar, fallback), tar);
    EXPECT_EQ(unpack(tar, fallback, {1, 7}), tar);
    EXPECT_EQ(unpack(std::string(10'240, '\0'), fallback), std::string(10'240, '\0'));
    for (const int filter : filters) {
      EXPECT_EQ(unpack(compress(tar, filter), fallback), tar);
    }
    const std::string skippable("\x53\x2a\x4d\x18\x01\x00\x00\x00x", 9);
    EXPECT_EQ(unpack(skippable + compress(tar, ARCHIVE_FILTER_ZSTD), fallback), tar);
  }
  EXPECT_EQ(unpack("a text"), "a text");
  EXPECT_EQ(unpack(""), "");
}

/// A stream that can skip.
class SkippingStream final : public ByteStream {
 public:
  explicit SkippingStream(std::uint64_t size) : left_(size) {}
  std::size_t read(std::span<std::byte> buffer) override { return take(buffer.size()); }
  std::uint64_t skip(std::uint64_t count) override { return take(count); }

 private:
  std::uint64_t take(std::uint64_t count) {
    const auto taken = std::min(count, left_);
    left_ -= taken;
    return taken;
  }

  std::uint64_t left_;
};

TEST(DecompressNothing, SkipsBehindTheFirstBytesAndCountsThem) {
  const auto stream = decompress(std::make_unique<SkippingStream>(10'000), {"x", 9'999, "", {}});
  std::array<std::byte, 1000> buffer{};
  EXPECT_EQ(stream->skip(100), 0U);  // the first bytes are in memory
  EXPECT_EQ(stream->read(buffer), 512U);
  EXPECT_EQ(stream->skip(9000), 9000U);
  EXPECT_THAT(failure_of([&] { stream->skip(1000); }).message(), HasSubstr("more than 9999 bytes"));
}

TEST(CompressionOf, KnowsFourKinds) {
  constexpr std::array<Compression, 4> kinds{Compression::gzip, Compression::zstd, Compression::xz, Compression::bzip2};
  for (std::size_t at = 0; at < filters.size(); ++at) {
    EXPECT_EQ(compression_of(compress("text", filters.at(at)).substr(0, magic_size)), kinds.at(at));
  }
  EXPECT_EQ(compression_of("a text that is not compressed"), std::nullopt);
  EXPECT_EQ(compression_of(""), std::nullopt);
  EXPECT_EQ(compression_of("BZhello.json"), std::nullopt);  // the name of a member of an archive
}

TEST(UnpackedLimit, FollowsTheSizeAndNeverOverflows) {
  EXPECT_EQ(unpacked_limit(0), std::uint64_t{4} << 30U);
  EXPECT_EQ(unpacked_limit(10'000'000'000), 11'000'000'000'000U);
  EXPECT_EQ(unpacked_limit(~std::uint64_t{0} / 2), ~std::uint64_t{0});
}

}  // namespace
}  // namespace berth::base
