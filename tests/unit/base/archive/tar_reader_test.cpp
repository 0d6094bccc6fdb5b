// SPDX-License-Identifier: LGPL-2.1-or-later
#include "base/archive/tar_reader.hpp"

#include <gmock/gmock.h>

#include <array>
#include <vector>

#include "base/error.hpp"
#include "failure.hpp"
#include "packed.hpp"
#include "source/tar_builder.hpp"

namespace berth::base {
namespace {

using test::failure_of;
using test::PieceStream;
using test::TarBuilder;
using ::testing::HasSubstr;

/// A stream that can skip, and counts the bytes that are read.
class SkippingStream final : public ByteStream {
 public:
  explicit SkippingStream(std::string bytes) : bytes_(std::move(bytes)) {}
  std::size_t read(std::span<std::byte> buffer) override {
    const auto count = std::min<std::size_t>({buffer.size(), 4096, bytes_.size() - at_});
    std::copy_n(std::as_bytes(std::span(bytes_)).begin() + static_cast<std::ptrdiff_t>(at_), count, buffer.begin());
    at_ += count;
    bytes_read += count;
    return count;
  }
  std::uint64_t skip(std::uint64_t count) override {
    if (fails) {
      throw Error(ErrorKind::failed, "the stream failed");
    }
    const auto skipped = std::min<std::uint64_t>(count, bytes_.size() - at_);
    at_ += skipped;
    return skipped;
  }

  std::uint64_t bytes_read = 0;
  bool fails = false;

 private:
  std::string bytes_;
  std::size_t at_ = 0;
};

std::string data_of(TarReader& reader) {
  std::string data;
  std::array<std::byte, 1000> buffer{};
  while (const auto count = reader.read(buffer)) {
    data.append(reinterpret_cast<const char*>(buffer.data()), count);
  }
  return data;
}

TEST(TarReader, ReturnsNamesAsTheyAre) {
  TarBuilder builder;
  builder.file("./a//b", "x").file("../c", "").symlink("/l", "../../t").hard_link("h", "./a//b");
  PieceStream stream(builder.finish());
  TarReader reader(stream, "x", "");
  EXPECT_EQ(reader.next()->name, "./a//b");
  EXPECT_EQ(data_of(reader), "x");
  EXPECT_EQ(reader.next()->name, "../c");
  auto link = reader.next();
  EXPECT_EQ(link->type, TarEntryType::symbolic_link);
  EXPECT_EQ(link->name, "/l");
  EXPECT_EQ(link->link_target, "../../t");
  link = reader.next();
  EXPECT_EQ(link->type, TarEntryType::hard_link);
  EXPECT_EQ(link->link_target, "./a//b");
  EXPECT_FALSE(reader.next());
}

TEST(TarReader, SkipsUnreadDataWhereTheStreamCan) {
  const std::string big(3'000'000, 'b');
  TarBuilder builder;
  builder.file("1", big).file("2", "two").file("3", big).symlink(std::string(300, 'n'), "t");
  SkippingStream stream(builder.finish());
  TarReader reader(stream, "x", "");
  EXPECT_EQ(reader.next()->size, big.size());
  std::array<std::byte, 10> first{};
  EXPECT_EQ(reader.read(first), first.size());
  EXPECT_EQ(reader.next()->name, "2");
  EXPECT_EQ(data_of(reader), "two");
  EXPECT_EQ(reader.next()->name, "3");
  EXPECT_EQ(reader.next()->name, std::string(300, 'n'));
  EXPECT_FALSE(reader.next());
  EXPECT_LT(stream.bytes_read, 100'000U);
}

TEST(TarReader, ReadsDataAfterASkip) {
  TarBuilder builder;
  builder.file("1", std::string(1'000'000, 'x')).file("2", std::string(1'000'000, '2'));
  SkippingStream stream(builder.finish());
  TarReader reader(stream, "x", "");
  reader.next();
  reader.next();
  EXPECT_EQ(data_of(reader), std::string(1'000'000, '2'));
  EXPECT_FALSE(reader.next());
}

TEST(TarReader, DetectsTruncationWithinSkippedData) {
  TarBuilder builder;
  const auto whole = builder.file("1", std::string(1'000'000, 'x')).finish();
  SkippingStream stream(whole.substr(0, 500'000));
  TarReader reader(stream, "x", "the remedy");
  reader.next();
  const auto error = failure_of([&] { reader.next(); });
  EXPECT_THAT(error.message(), HasSubstr("x: data of '1'"));
  EXPECT_EQ(error.hint(), "the remedy");
}

TEST(TarReader, ReportsAStreamThatCannotSkip) {
  TarBuilder builder;
  SkippingStream stream(builder.file("1", std::string(1'000'000, 'x')).file("2", "").finish());
  stream.fails = true;
  TarReader reader(stream, "x", "");
  reader.next();
  EXPECT_THAT(failure_of([&] { reader.next(); }).message(), HasSubstr("the stream failed"));
}

TEST(TarReader, AcceptsMissingPaddingOfSkippedData) {
  TarBuilder builder;
  const auto whole = builder.file("1", std::string(1'000, 'x')).finish();
  SkippingStream stream(whole.substr(0, 512 + 1'000));
  TarReader reader(stream, "x", "");
  reader.next();
  EXPECT_FALSE(reader.next());
}

TEST(TarReader, RefusesOtherFiles) {
  PieceStream stream(std::string(5000, 'x'));
  const auto error = failure_of([&] { TarReader(stream, "x", "the remedy").next(); });
  EXPECT_EQ(error.kind(), ErrorKind::verification);
  EXPECT_EQ(error.hint(), "the remedy");
}

TEST(TarReader, PassesExceptionsOfTheStreamOn) {
  PieceStream stream("", true);
  EXPECT_THAT(failure_of([&] { TarReader(stream, "x", "").next(); }).message(), HasSubstr("the inner one failed"));
}

}  // namespace
}  // namespace berth::base
