// SPDX-License-Identifier: LGPL-2.1-or-later
#include "base/byte_stream.hpp"

#include <gmock/gmock.h>

#include "failure.hpp"
#include "packed.hpp"

namespace berth::base {
namespace {

using test::failure_of;
using test::PieceStream;
using ::testing::HasSubstr;

TEST(ReadText, ReadsToTheEnd) {
  const std::string text(100'000, 'x');
  PieceStream stream(text);
  EXPECT_EQ(read_text(stream, 100'000, "x"), text);
  PieceStream empty("");
  EXPECT_EQ(read_text(empty, 0, "x"), "");
}

TEST(ReadText, RefusesMoreThanTheLimit) {
  PieceStream stream("123456");
  const auto error = failure_of([&] { read_text(stream, 5, "DOC"); });
  EXPECT_EQ(error.kind(), ErrorKind::verification);
  EXPECT_THAT(error.message(), HasSubstr("DOC has more than 5 bytes"));
}

TEST(ReadBeginning, FillsItFromSmallPieces) {
  PieceStream stream("123456", false, 2);
  EXPECT_EQ(read_beginning(stream, 5), "12345");
  EXPECT_EQ(read_beginning(stream, 5), "6");
  EXPECT_EQ(read_beginning(stream, 5), "");
}

TEST(ByteStream, SkipsNothingUnlessItCan) {
  PieceStream stream("123456");
  EXPECT_EQ(stream.skip(3), 0U);
  EXPECT_EQ(read_text(stream, 6, "x"), "123456");
}

}  // namespace
}  // namespace berth::base
