// SPDX-License-Identifier: LGPL-2.1-or-later
#include "base/digest.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstring>

#include "base/temp_directory.hpp"

namespace berth::base {
namespace {

using test::error_of;
using ::testing::AllOf;
using ::testing::HasSubstr;

constexpr const char* abc_hex = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

TEST(Digest, ParsesWhatItWrites) {
  const std::string text = std::string("sha256:") + abc_hex;
  const Digest digest = Digest::parse(text);
  EXPECT_EQ(digest.algorithm(), DigestAlgorithm::sha256);
  EXPECT_EQ(digest.hex(), abc_hex);
  EXPECT_EQ(digest.short_hex(), "ba7816bf8f01");
  EXPECT_EQ(digest.text(), text);
  EXPECT_EQ(Digest::parse("sha512:" + std::string(128, 'a')).algorithm(), DigestAlgorithm::sha512);
}

TEST(Digest, RefusesEverythingElse) {
  const std::string hex = abc_hex;
  for (const std::string& text : {std::string(), hex, "md5:" + hex, std::string("sha256:"), "sha256:" + hex.substr(1),
                                  "sha256:" + hex + "0", "sha512:" + hex, "sha256:BA" + hex.substr(2),
                                  "sha256:../" + hex.substr(3), "SHA256:" + hex, "sha256:" + hex.substr(1) + "\n"}) {
    const Error error = error_of([&] { Digest::parse(text, "the manifest"); });
    EXPECT_EQ(error.kind(), ErrorKind::verification) << text;
    EXPECT_THAT(error.message(), HasSubstr("the manifest")) << text;
  }
  EXPECT_EQ(error_of([&] { Digest(DigestAlgorithm::sha512, hex); }).kind(), ErrorKind::verification);
}

TEST(Digest, Compares) {
  EXPECT_EQ(digest_of("abc"), Digest(DigestAlgorithm::sha256, abc_hex));
  EXPECT_NE(digest_of("abc"), digest_of("abd"));
}

TEST(Hasher, ComputesInSteps) {
  Hasher hasher;
  hasher.update("a");
  hasher.update("");
  Hasher moved(std::move(hasher));
  moved.update("bc");
  EXPECT_EQ(moved.finish().hex(), abc_hex);
  EXPECT_EQ(digest_of("abc", DigestAlgorithm::sha512).hex().substr(0, 16), "ddaf35a193617aba");
}

/// Gives a text in pieces.
class TextStream final : public ByteStream {
 public:
  TextStream(std::string text, std::size_t piece) : text_(std::move(text)), piece_(piece) {}
  std::size_t read(std::span<std::byte> buffer) override {
    const std::size_t count = std::min({buffer.size(), piece_, text_.size() - position_});
    std::memcpy(buffer.data(), text_.data() + position_, count);
    position_ += count;
    return count;
  }

 private:
  std::string text_;
  std::size_t piece_;
  std::size_t position_ = 0;
};

VerifyingStream verifying(const std::string& text, std::size_t piece, const std::string& expected, std::int64_t size) {
  return {std::make_unique<TextStream>(text, piece), digest_of(expected), size, "layer 1"};
}

std::string read_to_end(ByteStream& stream) {
  std::string text;
  std::array<std::byte, 7> buffer{};
  while (const std::size_t count = stream.read(buffer)) {
    for (std::size_t index = 0; index < count; ++index) {
      text += static_cast<char>(buffer.at(index));
    }
  }
  return text;
}

TEST(VerifyingStream, PassesBytesThatMatch) {
  for (const std::int64_t size : {std::int64_t{10}, std::int64_t{-1}}) {
    for (const std::size_t piece : {1U, 3U, 100U}) {
      VerifyingStream stream = verifying("0123456789", piece, "0123456789", size);
      EXPECT_EQ(read_to_end(stream), "0123456789");
      std::array<std::byte, 1> buffer{};
      EXPECT_EQ(stream.read(buffer), 0U);
    }
  }
  VerifyingStream empty = verifying("", 1, "", 0);
  EXPECT_EQ(read_to_end(empty), "");
}

TEST(VerifyingStream, NamesBothDigests) {
  for (const std::int64_t size : {std::int64_t{3}, std::int64_t{-1}}) {
    VerifyingStream stream = verifying("abd", 2, "abc", size);
    const Error error = error_of([&] { read_to_end(stream); });
    EXPECT_EQ(error.kind(), ErrorKind::verification);
    EXPECT_THAT(error.message(),
                AllOf(HasSubstr("layer 1"), HasSubstr(digest_of("abc").text()), HasSubstr(digest_of("abd").text())));
  }
}

TEST(VerifyingStream, WithholdsTheLastBytesOfAWrongContent) {
  VerifyingStream stream = verifying("abd", 2, "abc", 3);
  std::array<std::byte, 2> buffer{};
  EXPECT_EQ(stream.read(buffer), 2U);
  EXPECT_THROW(stream.read(buffer), Error);
}

TEST(VerifyingStream, ReportsATruncatedStream) {
  VerifyingStream stream = verifying("abc", 2, "abcd", 4);
  const Error error = error_of([&] { read_to_end(stream); });
  EXPECT_EQ(error.kind(), ErrorKind::verification);
  EXPECT_THAT(error.message(), AllOf(HasSubstr("truncated"), HasSubstr("3 of 4 bytes")));
}

TEST(VerifyingStream, RefusesExcessBytesAtOnce) {
  VerifyingStream stream = verifying("abcdef", 2, "abc", 3);
  std::array<std::byte, 2> buffer{};
  EXPECT_EQ(stream.read(buffer), 2U);
  EXPECT_THAT(error_of([&] { stream.read(buffer); }).message(), HasSubstr("longer than the 3 bytes"));
  VerifyingStream exact = verifying("abcdef", 3, "abc", 3);
  EXPECT_THAT(error_of([&] { read_to_end(exact); }).message(), HasSubstr("longer than the 3 bytes"));
}

TEST(VerifyingStream, FailsAgainAfterAFailure) {
  VerifyingStream stream = verifying("abd", 3, "abc", 3);
  std::array<std::byte, 3> buffer{};
  const Error first = error_of([&] { stream.read(buffer); });
  const Error second = error_of([&] { stream.read(buffer); });
  EXPECT_EQ(first.message(), second.message());
}

}  // namespace
}  // namespace berth::base
