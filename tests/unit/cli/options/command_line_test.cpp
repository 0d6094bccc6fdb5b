// SPDX-License-Identifier: LGPL-2.1-or-later
#include "cli/options/command_line.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "cli/options/parsed.hpp"

namespace berth::cli {
namespace {

using ::testing::ElementsAre;
using ::testing::SizeIs;

class Parse : public ::testing::Test, protected Parsed {
 protected:
  void parse(const std::string& text) { app.parse(text, false); }
};

TEST_F(Parse, InstallTakesItsOptions) {
  parse(
      "install --name etcd1 --set A=1 --set B=x=y --runtime /usr/bin/crun --now --system-package=no "
      "registry.example/etcd:3");
  EXPECT_EQ(line.verb, "install");
  EXPECT_TRUE(line.needs_root);
  EXPECT_TRUE(line.action);
  EXPECT_THAT(line.set.assignments, ElementsAre("A=1", "B=x=y"));
  EXPECT_THAT(values("--name"), ElementsAre("etcd1"));
  EXPECT_THAT(values("--runtime"), ElementsAre("/usr/bin/crun"));
  EXPECT_THAT(values("--now"), SizeIs(1));
  EXPECT_THAT(values("IMAGE"), ElementsAre("registry.example/etcd:3"));
}

TEST_F(Parse, SetTakesOneValueSoThatTheImageMayFollow) {
  parse("install --set A=1 registry.example/etcd");
  EXPECT_THAT(values("IMAGE"), ElementsAre("registry.example/etcd"));
}

TEST_F(Parse, GlobalOptionsMayPrecedeTheVerb) {
  parse("--root /a pull registry.example/x");
  EXPECT_EQ(line.globals.root, "/a");
}

TEST_F(Parse, GlobalOptionsMayFollowTheVerb) {
  parse("containers list --root /b");
  EXPECT_EQ(line.globals.root, "/b");
  EXPECT_EQ(line.verb, "containers list");
  EXPECT_FALSE(line.needs_root);
}

TEST_F(Parse, OptionsOfListsHideGlobalOptions) {
  parse("containers list -a -n -q --no-trunc --json -f state=running -f image=x");
  EXPECT_THAT(values("--quiet"), SizeIs(1));
  EXPECT_FALSE(line.globals.quiet);
  EXPECT_THAT(values("--filter"), ElementsAre("state=running", "image=x"));
}

TEST_F(Parse, VerbsOfAtomicSelectItsBehaviour) {
  parse("atomic install --set A=1 busybox");
  EXPECT_TRUE(line.atomic);
  EXPECT_TRUE(line.action);
  EXPECT_EQ(line.verb, "atomic install");
  EXPECT_THAT(line.set.assignments, ElementsAre("A=1"));
}

TEST_F(Parse, OnlyLogsReadsSystemContainersWithoutRoot) {
  parse("logs web");
  EXPECT_TRUE(line.system_for_all);
  parse("inspect web");
  EXPECT_FALSE(line.system_for_all);
}

TEST_F(Parse, InvalidCommandLinesAreRefused) {
  EXPECT_THROW(parse("install"), CLI::ParseError);
  EXPECT_THROW(parse("install --no-such x"), CLI::ParseError);
  EXPECT_THROW(parse("containers"), CLI::ParseError);
  EXPECT_THROW(parse("frobnicate"), CLI::ParseError);
  EXPECT_THROW(parse("inspect a b"), CLI::ParseError);
}

TEST(VerbTable, HasEachVerbOnceAtAPositionOfItsOwn) {
  std::set<std::string_view> names;
  std::set<std::pair<std::string_view, int>> positions;
  for (const auto& verb : verb_table()) {
    const auto name = verb.entry.name;
    EXPECT_TRUE(names.insert(name).second) << name;
    EXPECT_TRUE(positions.emplace(name.substr(0, name.rfind(' ') + 1), verb.entry.order).second) << name;
    EXPECT_FALSE(verb.entry.summary.empty()) << name;
  }
}

TEST(Build, AddsASingleVerbAsTheWholeProgramHasIt) {
  CLI::App whole;
  CommandLine line;
  build(whole, line);
  for (const auto* verb : whole.get_subcommands({})) {
    CLI::App app;
    CommandLine own;
    build(app, own, verb->get_name());
    ASSERT_EQ(app.get_subcommands({}).size(), 1U) << verb->get_name();
    EXPECT_EQ(app.get_subcommands({}).front()->help(), verb->help());
    EXPECT_EQ(app.get_options().size(), whole.get_options().size());
  }
}

TEST(Build, AddsAllVerbsForAnUnknownWord) {
  CLI::App app;
  CommandLine line;
  build(app, line, "instal");
  EXPECT_GT(app.get_subcommands({}).size(), 20U);
}

TEST(Build, OrdersVerbsByTheirPositions) {
  CLI::App app;
  CommandLine line;
  build(app, line);
  std::vector<std::string> names;
  for (const auto* verb : app.get_subcommands({})) {
    names.push_back(verb->get_name());
  }
  EXPECT_THAT(names, ElementsAre("pull", "install", "update", "rollback", "uninstall", "start", "stop", "restart",
                                 "run", "exec", "logs", "containers", "images", "inspect", "recover", "df", "mount",
                                 "umount", "init", "lint", "render", "adopt", "atomic"));
}

TEST(LeadingVerb, IsFoundWithoutParsingOptions) {
  const auto verb = [](std::vector<const char*> words) {
    words.insert(words.begin(), "berth");
    return std::string(leading_verb(static_cast<int>(words.size()), words.data()));
  };
  EXPECT_EQ(verb({"images", "list"}), "images");
  EXPECT_EQ(verb({"-q", "--root", "pull", "--no-color", "images"}), "images");
  EXPECT_EQ(verb({"--root=/x", "images"}), "");
  EXPECT_EQ(verb({"--help", "images"}), "");
  EXPECT_EQ(verb({"-qh", "images"}), "");
  EXPECT_EQ(verb({"--root"}), "");
  EXPECT_EQ(verb({}), "");
  EXPECT_EQ(verb({"", "images"}), "");
}

}  // namespace
}  // namespace berth::cli
