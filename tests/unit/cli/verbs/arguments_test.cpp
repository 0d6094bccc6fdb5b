#include "cli/verbs/arguments.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cli/verbs/command_line.hpp"

namespace berth::cli {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class Arguments : public ::testing::Test {
 protected:
  Arguments() { build(app, line); }

  void parse(const std::vector<std::string>& words) {
    std::vector<const char*> argv = {"berth"};
    for (const auto& word : words) {
      argv.push_back(word.c_str());
    }
    app.parse(guarded_arguments(app, static_cast<int>(argv.size()), argv.data()));
  }

  CLI::App app;
  CommandLine line;
};

TEST_F(Arguments, WhatFollowsTheNameIsTheCommands) {
  parse({"exec", "web", "ls", "--all", "-l", "--root", "/x"});
  EXPECT_THAT(line.names, ElementsAre("web"));
  EXPECT_THAT(line.command.command, ElementsAre("ls", "--all", "-l", "--root", "/x"));
  EXPECT_EQ(line.globals.root, "/");
}

TEST_F(Arguments, OptionsBeforeTheNameAreOurs) {
  parse({"--config", "/c", "run", "-it", "--set", "A=1", "--runtime=/usr/bin/crun", "--root", "/x", "web", "sh", "-c",
         "exit 3"});
  EXPECT_THAT(line.names, ElementsAre("web"));
  EXPECT_THAT(line.command.command, ElementsAre("sh", "-c", "exit 3"));
  EXPECT_TRUE(line.command.terminal);
  EXPECT_EQ(line.globals.root, "/x");
  EXPECT_EQ(line.globals.config, "/c");
  EXPECT_THAT(line.install.set, ElementsAre("A=1"));
}

TEST_F(Arguments, ADoubleDashIsNotNeededAndDoesNoHarm) {
  parse({"exec", "web", "--", "ls", "--", "-l"});
  EXPECT_THAT(line.command.command, ElementsAre("ls", "--", "-l"));
}

TEST_F(Arguments, ADoubleDashBeforeTheName) {
  parse({"run", "--", "web", "ls", "-l"});
  EXPECT_THAT(line.names, ElementsAre("web"));
  EXPECT_THAT(line.command.command, ElementsAre("ls", "-l"));
}

TEST_F(Arguments, ANameAlone) {
  parse({"run", "web"});
  EXPECT_THAT(line.names, ElementsAre("web"));
  EXPECT_THAT(line.command.command, IsEmpty());
}

TEST_F(Arguments, OtherVerbsTakeOptionsBehindTheirNames) {
  parse({"logs", "web", "-n", "5", "--json"});
  EXPECT_EQ(line.logs.lines, "5");
  EXPECT_TRUE(line.json);
  parse({"containers", "list", "--all", "-f", "state=failed"});
  EXPECT_TRUE(line.list.all);
}

TEST_F(Arguments, NothingAtAll) {
  EXPECT_THAT(guarded_arguments(app, 0, nullptr), IsEmpty());
  EXPECT_THROW(parse({"exec", "web"}), CLI::ParseError);
  EXPECT_THROW(parse({"exec", "--no-such", "web", "ls"}), CLI::ParseError);
}

}  // namespace
}  // namespace berth::cli
