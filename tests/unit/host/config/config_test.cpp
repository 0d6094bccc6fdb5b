// SPDX-License-Identifier: LGPL-2.1-or-later
#include "host/config/config.hpp"

#include <gmock/gmock.h>

#include "host/fake_systemd.hpp"
#include "host/scratch.hpp"

namespace berth::host::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class ConfigTest : public ::testing::Test {
 protected:
  Config read() { return read_config(root_.path(), "", reporter_); }
  base::Error refused(const std::string& text) {
    root_.file("etc/berth/berth.conf", text);
    return error_of([&] { read(); });
  }

  Scratch root_;
  RecordingReporter reporter_;
};

TEST_F(ConfigTest, WithoutAFileDefaultsApply) {
  const Config config = read();
  EXPECT_EQ(2U, config.parallel_layers);
  EXPECT_FALSE(config.libostree_writes);
  EXPECT_FALSE(config.gentle);
  EXPECT_EQ(3, config.retries);
  EXPECT_EQ(15U, config.connect_timeout_seconds);
  EXPECT_THAT(config.runtimes, ElementsAre("runc", "crun"));
  EXPECT_EQ(30U, config.lock_timeout_seconds);
  EXPECT_EQ(0U, config.start_timeout_seconds);
  EXPECT_THAT(config.registries, IsEmpty());
  EXPECT_THAT(reporter_.warnings, IsEmpty());
}

TEST_F(ConfigTest, ReadsEveryKey) {
  root_.file("etc/berth/berth.conf", R"(
[paths]
deployments = "/srv/berth"
repository = "/srv/repo"
[pull]
authfile = "/root/auth.json"
parallel-layers = 4
writer = "libostree"
durability = "gentle"
retries = 0
connect-timeout = 60
[runtime]
candidates = ["crun"]
[locks]
timeout = 5
[systemd]
job-timeout = 90
[[registry]]
location = "registry.example.org"
insecure = true
ca-file = "/etc/ca.pem"
[[registry]]
location = "other.example.org:5000"
)");
  const Config config = read();
  EXPECT_EQ("/srv/berth", config.deployments);
  EXPECT_EQ("/srv/repo", config.repository);
  EXPECT_EQ("/root/auth.json", config.authfile);
  EXPECT_EQ(4U, config.parallel_layers);
  EXPECT_TRUE(config.libostree_writes);
  EXPECT_TRUE(config.gentle);
  EXPECT_EQ(0, config.retries);
  EXPECT_EQ(60U, config.connect_timeout_seconds);
  EXPECT_THAT(config.runtimes, ElementsAre("crun"));
  EXPECT_EQ(5U, config.lock_timeout_seconds);
  EXPECT_EQ(90U, config.start_timeout_seconds);
  ASSERT_EQ(2U, config.registries.size());
  EXPECT_EQ("registry.example.org", config.registries[0].location);
  EXPECT_TRUE(config.registries[0].insecure);
  EXPECT_EQ("/etc/ca.pem", config.registries[0].ca_file);
  EXPECT_FALSE(config.registries[1].insecure);
  EXPECT_THAT(reporter_.warnings, IsEmpty());
}

TEST_F(ConfigTest, DropInsInTheOrderOfTheirNames) {
  root_.file("etc/berth/berth.conf", "[pull]\nretries = 1\nconnect-timeout = 1\n");
  root_.file("usr/lib/berth/berth.conf.d/10-vendor.conf", "[pull]\nretries = 2\n");
  root_.file("usr/lib/berth/berth.conf.d/50-hidden.conf", "[pull]\nretries = 9\nparallel-layers = 9\n");
  root_.file("etc/berth/berth.conf.d/50-hidden.conf", "[locks]\ntimeout = 7\n");
  root_.file("etc/berth/berth.conf.d/20-admin.conf", "[pull]\nretries = 3\n");
  root_.file("etc/berth/berth.conf.d/notes.txt", "not TOML at all");
  root_.link("etc/berth/berth.conf.d/90-gone.conf", "/nowhere");
  const Config config = read();
  EXPECT_EQ(3, config.retries);
  EXPECT_EQ(1U, config.connect_timeout_seconds);
  EXPECT_EQ(2U, config.parallel_layers);
  EXPECT_EQ(7U, config.lock_timeout_seconds);
}

TEST_F(ConfigTest, LaterSettingsOfARegistryOverrideEarlierOnes) {
  root_.file("etc/berth/berth.conf", "[[registry]]\nlocation = 'a'\ninsecure = true\nca-file = '/x'\n");
  root_.file("etc/berth/berth.conf.d/1.conf", "[[registry]]\nlocation = 'a'\ninsecure = false\n");
  const Config config = read();
  ASSERT_EQ(1U, config.registries.size());
  EXPECT_FALSE(config.registries[0].insecure);
  EXPECT_EQ("/x", config.registries[0].ca_file);
}

TEST_F(ConfigTest, UnknownKeysAreWarnings) {
  root_.file("etc/berth/berth.conf", "answer = 42\n[pull]\nretrys = 1\n[[registry]]\nlocation = 'a'\nspeed = 1\n");
  read();
  EXPECT_THAT(reporter_.warnings, ElementsAre(HasSubstr("berth.conf:3: unknown key [pull] retrys is ignored"),
                                              HasSubstr("berth.conf:6: unknown key [[registry]] speed is ignored"),
                                              HasSubstr("berth.conf:1: unknown key [answer] is ignored")));
}

TEST_F(ConfigTest, MessagesContainNoControlCharacters) {
  root_.file("etc/berth/berth.conf", "[pull]\n\"a\\u001b[2J\" = 1\n");
  read();
  EXPECT_THAT(reporter_.warnings, ElementsAre(HasSubstr("unknown key [pull] a?[2J is ignored")));
  EXPECT_THAT(refused("[pull]\nretries = \"\\u001b[2J\"\n").what(), HasSubstr("found '?[2J'"));
  EXPECT_THAT(refused("[[registry]]\ninsecure = tr\bue\n").what(), HasSubstr("saw 'tr?"));
}

TEST_F(ConfigTest, ErrorsNameFileLineKeyAndRange) {
  const base::Error error = refused("[pull]\n\nretries = 21\n");
  EXPECT_EQ(base::ErrorKind::usage, error.kind());
  EXPECT_EQ(root_.at("etc/berth/berth.conf") + ":3: [pull] retries must be a whole number from 0 to 20, found 21",
            error.message());
  EXPECT_THAT(refused("[pull]\nretries = '3'\n").what(), HasSubstr("from 0 to 20, found '3'"));
  EXPECT_THAT(refused("[pull]\nparallel-layers = 0\n").what(), HasSubstr("from 1 to 16, found 0"));
  EXPECT_THAT(refused("[pull]\nwriter = \"both\"\n").what(), HasSubstr("\"own\" or \"libostree\", found \"both\""));
  EXPECT_THAT(refused("[pull]\nconnect-timeout = 1.5\n").what(), HasSubstr("found something else"));
  EXPECT_THAT(refused("[locks]\ntimeout = -1\n").what(), HasSubstr(":2: [locks] timeout must be"));
  EXPECT_THAT(refused("[runtime]\ncandidates = []\n").what(), HasSubstr("at least one entry, found a list"));
  EXPECT_THAT(refused("[runtime]\ncandidates = ['runc', true]\n").what(), HasSubstr("not empty, found true"));
  EXPECT_THAT(refused("[paths]\nrepository = 'x'\n").what(), HasSubstr("must be an absolute path, found 'x'"));
  EXPECT_THAT(refused("pull = 3\n").what(), HasSubstr("[pull] must be a table, found 3"));
  EXPECT_THAT(refused("registry = 3\n").what(), HasSubstr("written as [[registry]]"));
  EXPECT_THAT(refused("registry = [3]\n").what(), HasSubstr("written as [[registry]]"));
  EXPECT_THAT(refused("[[registry]]\ninsecure = true\n").what(), HasSubstr(":1: [[registry]] location is missing"));
  EXPECT_THAT(refused("[[registry]]\nlocation = ''\n").what(), HasSubstr("a string that is not empty"));
  EXPECT_THAT(refused("[[registry]]\nlocation = 'a'\ninsecure = 'x'\n").what(), HasSubstr("true or false, found 'x'"));
}

TEST_F(ConfigTest, BadSyntaxNamesTheLine) {
  const base::Error error = refused("[pull]\nretries = \n");
  EXPECT_EQ(base::ErrorKind::usage, error.kind());
  EXPECT_THAT(error.what(), HasSubstr("berth.conf:2: "));
}

TEST_F(ConfigTest, AnExplicitFileReplacesAllOthers) {
  root_.file("etc/berth/berth.conf", "[pull]\nretries = 1\n");
  root_.file("mine.conf", "[locks]\ntimeout = 1\n");
  const Config config = read_config(root_.path(), root_.at("mine.conf"), reporter_);
  EXPECT_EQ(3, config.retries);
  EXPECT_EQ(1U, config.lock_timeout_seconds);
  const base::Error error = error_of([&] { read_config("/", root_.at("gone.conf"), reporter_); });
  EXPECT_EQ(base::ErrorKind::not_found, error.kind());
  EXPECT_THAT(error.what(), HasSubstr("gone.conf"));
}

TEST_F(ConfigTest, AHugeFileIsRefused) {
  EXPECT_EQ(base::ErrorKind::verification, refused(std::string(2U << 20U, '\n')).kind());
}

}  // namespace
}  // namespace berth::host::testing
