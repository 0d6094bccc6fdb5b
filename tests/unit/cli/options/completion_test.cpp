// SPDX-License-Identifier: LGPL-2.1-or-later
#include "cli/options/completion.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cli/options/command_line.hpp"

namespace berth::cli {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::StartsWith;

class Completion : public ::testing::Test {
 protected:
  Completion() { build(app, line); }

  std::vector<std::string> at_end(std::vector<std::string> words) {
    words.insert(words.begin(), "berth");
    return complete(app, words, words.size() - 1,
                    {[] {
                       return std::vector<std::string>{"etcd", "snmp"};
                     },
                     [] { return std::vector<std::string>{"registry.example/etcd:latest"}; }});
  }

  CLI::App app;
  CommandLine line;
};

TEST_F(Completion, CompletesVerbs) {
  EXPECT_THAT(at_end({"ins"}), ElementsAre(StartsWith("install\t"), StartsWith("inspect\t")));
  EXPECT_THAT(at_end({"containers", "l"}), ElementsAre(StartsWith("list\t")));
}

TEST_F(Completion, CompletesOptionsOfTheVerbAndGlobalOptions) {
  EXPECT_THAT(at_end({"install", "--n"}), Contains(StartsWith("--name\t")));
  EXPECT_THAT(at_end({"install", "--conf"}), ElementsAre(StartsWith("--config\t")));
  for (const char* verb : {"install", "update", "run"}) {
    EXPECT_THAT(at_end({verb, "--set-"}), ElementsAre(StartsWith("--set-file\t")));
  }
}

TEST_F(Completion, CompletesNamesOfContainersAndImages) {
  EXPECT_THAT(at_end({"uninstall", ""}), ElementsAre("etcd", "snmp"));
  EXPECT_THAT(at_end({"start", "e"}), ElementsAre("etcd"));
  EXPECT_THAT(at_end({"install", ""}), ElementsAre("registry.example/etcd:latest"));
  EXPECT_THAT(at_end({"inspect", ""}), ElementsAre("etcd", "snmp", "registry.example/etcd:latest"));
}

TEST_F(Completion, LeavesValuesOfOptionsToTheShell) {
  EXPECT_THAT(at_end({"install", "--authfile", ""}), IsEmpty());
  EXPECT_THAT(at_end({"update", "--set-file", ""}), IsEmpty());
}

}  // namespace
}  // namespace berth::cli
