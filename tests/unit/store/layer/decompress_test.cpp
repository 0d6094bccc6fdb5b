#include "store/layer/decompress.hpp"

#include <gmock/gmock.h>

#include <random>

#include "base/error.hpp"
#include "store/fakes.hpp"
#include "store/tar_builder.hpp"

namespace berth::store {
namespace {

using image::Compression;
using testing::drain;
using ::testing::HasSubstr;
using testing::MemoryStream;
using testing::pack;

std::string noise(std::size_t size) {
  std::mt19937 random(7);
  std::string text;
  for (std::size_t i = 0; i < size; ++i) {
    text += static_cast<char>(random() % 7 == 0 ? random() : 'x');
  }
  return text;
}

std::string unpack(Compression compression, const std::string& packed, std::size_t piece_in = 4096,
                   std::size_t piece_out = 10'000, std::uint64_t limit = 1U << 30U) {
  const auto stream = decompress(compression, std::make_unique<MemoryStream>(packed, piece_in), limit, "layer x");
  return drain(*stream, piece_out);
}

std::string refusal(Compression compression, const std::string& packed, std::uint64_t limit = 1U << 30U) {
  try {
    unpack(compression, packed, 4096, 10'000, limit);
  } catch (const base::Error& error) {
    EXPECT_EQ(error.kind(), base::ErrorKind::verification);
    return error.message();
  }
  return "accepted";
}

class Decompress : public ::testing::TestWithParam<Compression> {};

TEST_P(Decompress, GivesBackWhatWasPackedInPiecesOfAnySize) {
  for (const std::size_t size : {0U, 1U, 511U, 300'000U}) {
    const auto text = noise(size);
    const auto packed = pack(text, GetParam());
    EXPECT_EQ(unpack(GetParam(), packed), text);
    EXPECT_EQ(unpack(GetParam(), packed, 1, 100'000), text);
    EXPECT_EQ(unpack(GetParam(), packed, 100'000, 7), text);
  }
}

TEST_P(Decompress, EndsWhenTheLimitIsPassed) {
  const auto packed = pack(std::string(100'000, '\0'), GetParam());
  EXPECT_EQ(unpack(GetParam(), packed, 4096, 10'000, 100'000).size(), 100'000U);
  EXPECT_THAT(refusal(GetParam(), packed, 99'999), HasSubstr("layer x: it unpacks to more than 99999 bytes"));
}

INSTANTIATE_TEST_SUITE_P(All, Decompress, ::testing::Values(Compression::none, Compression::gzip, Compression::zstd));

TEST_P(Decompress, ReadsThePackedBytesToTheirEnd) {
  // A stream whose check fails at the very end, as that of a wrong blob does.
  class Failing final : public base::ByteStream {
   public:
    explicit Failing(std::string bytes) : inner_(std::move(bytes)) {}
    std::size_t read(std::span<std::byte> buffer) override {
      const auto count = inner_.read(buffer);
      if (count == 0) {
        throw base::Error(base::ErrorKind::verification, "wrong digest");
      }
      return count;
    }

   private:
    MemoryStream inner_;
  };
  for (const std::size_t size : {4U, 10'000U}) {  // the first bytes are read at once
    const auto text = noise(size);
    EXPECT_THROW(drain(*decompress(GetParam(), std::make_unique<Failing>(pack(text, GetParam())), 100'000, "layer x")),
                 base::Error);
  }
}

TEST(DecompressGzip, JoinsMembers) {
  const auto packed =
      pack("first ", Compression::gzip) + pack("", Compression::gzip) + pack("second", Compression::gzip);
  EXPECT_EQ(unpack(Compression::gzip, packed), "first second");
  EXPECT_EQ(unpack(Compression::gzip, packed, 1), "first second");
}

TEST(DecompressGzip, RefusesDamage) {
  const auto packed = pack(noise(50'000), Compression::gzip);
  EXPECT_THAT(refusal(Compression::gzip, ""), HasSubstr("truncated"));
  EXPECT_THAT(refusal(Compression::gzip, packed.substr(0, packed.size() - 1)), HasSubstr("truncated"));
  EXPECT_THAT(refusal(Compression::gzip, packed.substr(0, packed.size() / 2)), HasSubstr("truncated"));
  EXPECT_THAT(refusal(Compression::gzip, packed.substr(0, 5)), HasSubstr("truncated"));
  EXPECT_THAT(refusal(Compression::gzip, packed + "x"), HasSubstr("after the end"));
  EXPECT_THAT(refusal(Compression::gzip, packed + "\x1f"), HasSubstr("truncated"));
  EXPECT_THAT(refusal(Compression::gzip, "no gzip at all"), HasSubstr("damaged"));
  auto wrong_crc = packed;
  wrong_crc[packed.size() - 6] = static_cast<char>(wrong_crc[packed.size() - 6] ^ 1);
  EXPECT_THAT(refusal(Compression::gzip, wrong_crc), HasSubstr("checksum"));
}

TEST(DecompressZstd, JoinsFrames) {
  const auto packed = pack("first ", Compression::zstd) + pack("second", Compression::zstd);
  EXPECT_EQ(unpack(Compression::zstd, packed), "first second");
  EXPECT_EQ(unpack(Compression::zstd, packed, 1), "first second");
}

TEST(DecompressZstd, RefusesDamage) {
  const auto packed = pack(noise(50'000), Compression::zstd);
  EXPECT_THAT(refusal(Compression::zstd, ""), HasSubstr("truncated"));
  EXPECT_THAT(refusal(Compression::zstd, packed.substr(0, packed.size() - 1)), HasSubstr("truncated"));
  EXPECT_THAT(refusal(Compression::zstd, packed + "xxxxxxxx"), HasSubstr("damaged"));
  EXPECT_THAT(refusal(Compression::zstd, "no zstd at all"), HasSubstr("damaged"));
}

TEST(DecompressZstd, RefusesHugeWindows) {
  // A frame header with a window of 2 GiB (window descriptor 0xA8: exponent 21 + 10).
  const std::string header("\x28\xb5\x2f\xfd\x00\xa8", 6);
  EXPECT_THAT(refusal(Compression::zstd, header + std::string(16, '\0')), HasSubstr("too much memory"));
}

// Tools label layers wrongly; the first bytes decide.
TEST(DecompressLabels, AreHints) {
  const auto tar = testing::TarBuilder().file("a", noise(3000)).bytes();
  const std::array all{Compression::none, Compression::gzip, Compression::zstd};
  for (const auto label : all) {
    for (const auto actual : all) {
      EXPECT_EQ(unpack(label, pack(tar, actual)), tar);
      EXPECT_EQ(unpack(label, pack(tar, actual), 1, 7), tar);
    }
    EXPECT_EQ(unpack(label, std::string(10'240, '\0')), std::string(10'240, '\0'));
    const std::string skippable("\x53\x2a\x4d\x18\x01\x00\x00\x00x", 9);
    EXPECT_EQ(unpack(label, skippable + pack(tar, Compression::zstd)), tar);
  }
}

}  // namespace
}  // namespace berth::store
