// SPDX-License-Identifier: LGPL-2.1-or-later
#include "source/registry/base64.hpp"

#include <gtest/gtest.h>

namespace berth::source {
namespace {

TEST(Base64, MatchesTheVectorsOfRfc4648) {
  const std::vector<std::pair<std::string, std::string>> cases{{"", ""},
                                                               {"f", "Zg=="},
                                                               {"fo", "Zm8="},
                                                               {"foo", "Zm9v"},
                                                               {"foob", "Zm9vYg=="},
                                                               {"fooba", "Zm9vYmE="},
                                                               {"foobar", "Zm9vYmFy"}};
  for (const auto& [plain, encoded] : cases) {
    EXPECT_EQ(encode_base64(plain), encoded);
    EXPECT_EQ(decode_base64(encoded), plain);
  }
  EXPECT_EQ(decode_base64("Zg"), "f");
}

TEST(Base64, EncodesAndDecodesAllBytes) {
  std::string bytes;
  for (int value = 0; value < 256; ++value) {
    bytes += static_cast<char>(value);
  }
  EXPECT_EQ(decode_base64(encode_base64(bytes)), bytes);
}

TEST(Base64, IgnoresLineEnds) {
  for (const std::string text : {"Zm9v\nYmFy", "Zm9vYmFy\n", "Zm9v\r\nYmFy\r\n"}) {
    EXPECT_EQ(decode_base64(text), "foobar") << text;
  }
  EXPECT_EQ(decode_base64("Zg==\n"), "f");
}

TEST(Base64, RefusesOtherText) {
  for (const std::string text : {"Z", "Zg=a", "Zm 9v", "Zm9-"}) {
    EXPECT_FALSE(decode_base64(text)) << text;
  }
}

}  // namespace
}  // namespace berth::source
