// SPDX-License-Identifier: LGPL-2.1-or-later
#include "cli/options/arguments.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cli/options/parsed.hpp"

namespace berth::cli {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class Arguments : public ::testing::Test, protected Parsed {
 protected:
  void parse(const std::vector<std::string>& words) {
    std::vector<const char*> argv = {"berth"};
    for (const auto& word : words) {
      argv.push_back(word.c_str());
    }
    app.parse(guarded_arguments(app, static_cast<int>(argv.size()), argv.data()));
  }
};

TEST_F(Arguments, WordsAfterTheNameBelongToTheCommand) {
  parse({"exec", "web", "ls", "--all", "-l", "--root", "/x"});
  EXPECT_THAT(values("NAME"), ElementsAre("web"));
  EXPECT_THAT(values("COMMAND"), ElementsAre("ls", "--all", "-l", "--root", "/x"));
  EXPECT_EQ(line.globals.root, "/");
}

TEST_F(Arguments, OptionsBeforeTheNameBelongToTheVerb) {
  parse({"--config", "/c", "run", "-it", "--set", "A=1", "--runtime=/usr/bin/crun", "--root", "/x", "web", "sh", "-c",
         "exit 3"});
  EXPECT_THAT(values("IMAGE|NAME"), ElementsAre("web"));
  EXPECT_THAT(values("COMMAND"), ElementsAre("sh", "-c", "exit 3"));
  EXPECT_THAT(values("--tty"), SizeIs(1));
  EXPECT_EQ(line.globals.root, "/x");
  EXPECT_EQ(line.globals.config, "/c");
  EXPECT_THAT(line.set.assignments, ElementsAre("A=1"));
}

TEST_F(Arguments, ADoubleDashBeforeTheCommandIsOptional) {
  parse({"exec", "web", "--", "ls", "--", "-l"});
  EXPECT_THAT(values("COMMAND"), ElementsAre("ls", "--", "-l"));
}

TEST_F(Arguments, ADoubleDashMayPrecedeTheName) {
  parse({"run", "--", "web", "ls", "-l"});
  EXPECT_THAT(values("IMAGE|NAME"), ElementsAre("web"));
  EXPECT_THAT(values("COMMAND"), ElementsAre("ls", "-l"));
}

TEST_F(Arguments, TheCommandMayBeMissing) {
  parse({"run", "web"});
  EXPECT_THAT(values("IMAGE|NAME"), ElementsAre("web"));
  EXPECT_THAT(values("COMMAND"), IsEmpty());
}

TEST_F(Arguments, OtherVerbsTakeOptionsAfterTheirNames) {
  parse({"logs", "web", "-n", "5", "--json"});
  EXPECT_THAT(values("--lines"), ElementsAre("5"));
  EXPECT_THAT(values("--json"), SizeIs(1));
  parse({"containers", "list", "--all", "-f", "state=failed"});
  EXPECT_THAT(values("--all"), SizeIs(1));
}

TEST_F(Arguments, EmptyAndInvalidCommandLines) {
  EXPECT_THAT(guarded_arguments(app, 0, nullptr), IsEmpty());
  EXPECT_THROW(parse({"exec", "web"}), CLI::ParseError);
  EXPECT_THROW(parse({"exec", "--no-such", "web", "ls"}), CLI::ParseError);
}

}  // namespace
}  // namespace berth::cli
