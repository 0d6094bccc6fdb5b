#include "cli/command_line.hpp"

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
