// SPDX-License-Identifier: LGPL-2.1-or-later
#include "cli/options/usage_error.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cli/options/command_line.hpp"

namespace berth::cli {
namespace {

std::string message(const std::string& words) {
  CLI::App app;
  CommandLine line;
  build(app, line);
  try {
    app.parse(words, false);
  } catch (const CLI::ParseError& error) {
    return usage_error(app, error).message + " / " + usage_error(app, error).hint;
  }
  return "understood";
}

TEST(UsageError, NamesTheNearestVerb) {
  EXPECT_EQ(message("instal web"), "berth has no verb instal; did you mean install? / see berth --help");
  EXPECT_EQ(message("isntall --now web"), "berth has no verb isntall; did you mean install? / see berth --help");
  EXPECT_EQ(message("images lst"), "berth images has no verb lst; did you mean list? / see berth images --help");
  EXPECT_EQ(message("frobnicate"), "berth has no verb frobnicate / see berth --help");
}

TEST(UsageError, NamesTheNearestOption) {
  EXPECT_EQ(message("install --nmae=x web"),
            "berth install has no option --nmae; did you mean --name? / see berth install --help");
  EXPECT_EQ(message("install --quite web"),
            "berth install has no option --quite; did you mean --quiet? / see berth install --help");
  EXPECT_EQ(message("install --colour=red web"), "berth install has no option --colour / see berth install --help");
}

TEST(UsageError, DescribesOtherErrors) {
  EXPECT_EQ(message("images list extra"),
            "berth images list takes no further argument: extra / see berth images list --help");
  EXPECT_THAT(message("images"), ::testing::StartsWith("berth images needs a verb: list, "));
  EXPECT_THAT(message("install"), ::testing::StartsWith("berth: IMAGE is required"));
}

TEST(Nearest, FindsSimilarWordsOfBoundedLength) {
  EXPECT_EQ(nearest("ab", {"ba", "zz"}), "ba");
  EXPECT_EQ(nearest("x", {"abc"}), "");
  EXPECT_EQ(nearest("", {"a"}), "a");
  EXPECT_EQ(nearest(std::string(100'000, 'a'), {std::string(100'000, 'a')}), "");
}

TEST(Help, OmitsExclusions) {
  CLI::App app;
  CommandLine line;
  build(app, line);
  EXPECT_THAT(app.help(), ::testing::HasSubstr("--user"));
  EXPECT_THAT(app.help(), ::testing::Not(::testing::HasSubstr("Excludes")));
}

}  // namespace
}  // namespace berth::cli
