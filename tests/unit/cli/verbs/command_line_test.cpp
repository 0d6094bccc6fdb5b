#include "cli/verbs/command_line.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace berth::cli {
namespace {

class Parse : public ::testing::Test {
 protected:
  Parse() { build(app, line); }
  void parse(const std::string& text) { app.parse(text, false); }

  CLI::App app;
  CommandLine line;
};

TEST_F(Parse, InstallTakesItsOptions) {
  parse(
      "install --name etcd1 --set A=1 --set B=x=y --runtime /usr/bin/crun --now --system-package=no "
      "registry.example/etcd:3");
  EXPECT_EQ(line.verb, "install");
  EXPECT_TRUE(line.needs_root);
  EXPECT_EQ(line.install.name, "etcd1");
  EXPECT_THAT(line.install.set, ::testing::ElementsAre("A=1", "B=x=y"));
  EXPECT_EQ(line.install.runtime, "/usr/bin/crun");
  EXPECT_TRUE(line.install.start);
  EXPECT_EQ(line.install.image, "registry.example/etcd:3");
}

TEST(Build, KnowsEachVerbByItself) {
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

TEST(Build, BuildsAllForWhatIsNoVerb) {
  CLI::App app;
  CommandLine line;
  build(app, line, "instal");
  EXPECT_GT(app.get_subcommands({}).size(), 20U);
}

TEST(LeadingVerb, IsFoundWhereItIsSure) {
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

TEST_F(Parse, SetTakesOneValueSoThatTheImageMayFollow) {
  parse("install --set A=1 registry.example/etcd");
  EXPECT_EQ(line.install.image, "registry.example/etcd");
}

TEST_F(Parse, GlobalOptionsStandBeforeOrBehindTheVerb) {
  parse("--root /a pull registry.example/x");
  EXPECT_EQ(line.globals.root, "/a");
}

TEST_F(Parse, GlobalOptionsBehindTheVerb) {
  parse("containers list --root /b");
  EXPECT_EQ(line.globals.root, "/b");
  EXPECT_EQ(line.verb, "containers list");
  EXPECT_FALSE(line.needs_root);
}

TEST_F(Parse, ListOptions) {
  parse("containers list -a -n -q --no-trunc --json -f state=running -f image=x");
  EXPECT_TRUE(line.list.all && line.list.no_heading && line.list.quiet && line.list.no_truncation && line.list.json);
  EXPECT_FALSE(line.globals.quiet);
  EXPECT_EQ(line.list.filters.size(), 2U);
}

TEST_F(Parse, Refusals) {
  EXPECT_THROW(parse("install"), CLI::ParseError);
  EXPECT_THROW(parse("install --no-such x"), CLI::ParseError);
  EXPECT_THROW(parse("containers"), CLI::ParseError);
  EXPECT_THROW(parse("frobnicate"), CLI::ParseError);
  EXPECT_THROW(parse("inspect a b"), CLI::ParseError);
}

}  // namespace
}  // namespace berth::cli
