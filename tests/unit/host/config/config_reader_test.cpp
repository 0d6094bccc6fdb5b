// SPDX-License-Identifier: LGPL-2.1-or-later
#include "host/config/config_reader.hpp"

#include <gmock/gmock.h>

#include <functional>
#include <string>

#include "host/fake_systemd.hpp"
#include "host/scratch.hpp"

namespace berth::host::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Optional;

class ConfigReader : public ::testing::Test {
 protected:
  ConfigTable read(const std::string& text) {
    table_ = toml::parse(text);
    return {table_, "FILE", "pull"};
  }
  static std::string refusal(const std::function<void()>& work) {
    const auto error = error_of(work);
    EXPECT_EQ(error.kind(), base::ErrorKind::usage);
    return error.message();
  }

  toml::table table_;
};

TEST_F(ConfigReader, ReturnsValues) {
  auto table =
      read("text = 'a'\npath = '/p'\nflag = true\nword = 'two'\nnumber = 7\nlist = ['x', 'y']\n[inner]\nkey = 'v'\n");
  EXPECT_THAT(table.text("text"), Optional(std::string("a")));
  EXPECT_THAT(table.path("path"), Optional(std::string("/p")));
  EXPECT_THAT(table.boolean("flag"), Optional(true));
  EXPECT_THAT(table.choice("word", "one", "two"), Optional(true));
  EXPECT_THAT(table.integer("number", 0, 10), Optional(7));
  EXPECT_THAT(table.texts("list"), Optional(ElementsAre("x", "y")));
  EXPECT_THAT(table.table("inner")->text("key"), Optional(std::string("v")));
}

TEST_F(ConfigReader, AbsentKeysHaveNoValue) {
  auto table = read("");
  EXPECT_FALSE(table.text("x"));
  EXPECT_FALSE(table.integer("x", 0, 1));
  EXPECT_FALSE(table.table("x"));
  EXPECT_TRUE(table.tables("x").empty());
}

TEST_F(ConfigReader, ErrorsNameFileLineAndExpectedValue) {
  auto table = read("\nnumber = 11\npath = 'p'\nlist = []\n");
  EXPECT_THAT(refusal([&] { table.integer("number", 0, 10); }), HasSubstr("FILE:2: [pull] number must be"));
  EXPECT_THAT(refusal([&] { table.path("path"); }), HasSubstr("an absolute path"));
  EXPECT_THAT(refusal([&] { table.texts("list"); }), HasSubstr("at least one entry"));
  EXPECT_THAT(refusal([&] { table.fail_missing("other"); }), HasSubstr("[pull] other is missing"));
}

TEST_F(ConfigReader, WarnsOfKeysThatNoGetterAskedFor) {
  auto table = read("known = 'a'\nodd = 1\n");
  table.text("known");
  RecordingReporter reporter;
  table.warn_of_unknown(reporter);
  EXPECT_THAT(reporter.warnings, ElementsAre(HasSubstr("FILE:2: unknown key [pull] odd is ignored")));
}

}  // namespace
}  // namespace berth::host::testing
