// SPDX-License-Identifier: LGPL-2.1-or-later
#include "source/registry/challenge.hpp"

#include <gtest/gtest.h>

namespace berth::source {
namespace {

TEST(ParseChallenges, ReadsBearer) {
  const auto challenges = parse_challenges(
      R"(Bearer realm="https://auth.example/token",service="registry.example",scope="repository:a:pull,push")");
  ASSERT_EQ(challenges.size(), 1U);
  EXPECT_EQ(challenges[0].scheme, "bearer");
  EXPECT_EQ(challenges[0].parameter("realm"), "https://auth.example/token");
  EXPECT_EQ(challenges[0].parameter("service"), "registry.example");
  EXPECT_EQ(challenges[0].parameter("scope"), "repository:a:pull,push");
  EXPECT_EQ(challenges[0].parameter("error"), "");
}

TEST(ParseChallenges, ReadsSeveral) {
  const auto challenges =
      parse_challenges(R"(Negotiate, NTLM abc/d==, basic Realm="a, \"b\" = c" , BEARER realm=x ,service = y)");
  ASSERT_EQ(challenges.size(), 4U);
  EXPECT_EQ(challenges[0].scheme, "negotiate");
  EXPECT_EQ(challenges[1].scheme, "ntlm");
  EXPECT_TRUE(challenges[1].parameters.empty());
  EXPECT_EQ(challenges[2].scheme, "basic");
  EXPECT_EQ(challenges[2].parameter("realm"), R"(a, "b" = c)");
  EXPECT_EQ(challenges[3].scheme, "bearer");
  EXPECT_EQ(challenges[3].parameter("realm"), "x");
  EXPECT_EQ(challenges[3].parameter("service"), "y");
}

TEST(ParseChallenges, ToleratesInvalidHeaders) {
  for (const std::string text : {"", ",", "===", "Bearer", "Bearer realm=", "Bearer realm=\"", "Bearer realm=\"a\\",
                                 "\"a\"", "Bearer ,,, a", "a=b", "\x80\xff", "Bearer \"x\""}) {
    EXPECT_LE(parse_challenges(text).size(), 3U) << text;
  }
  EXPECT_EQ(parse_challenges(std::string(100'000, ',')).size(), 0U);
}

TEST(ParseChallenges, UsesTheFirstOfRepeatedParameters) {
  EXPECT_EQ(parse_challenges("Bearer realm=a,realm=b")[0].parameter("realm"), "a");
}

}  // namespace
}  // namespace berth::source
