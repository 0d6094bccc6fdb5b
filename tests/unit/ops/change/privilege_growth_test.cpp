// SPDX-License-Identifier: LGPL-2.1-or-later
#include "ops/change/privilege_growth.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/temp_directory.hpp"

namespace berth::ops {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

/// A deployment that records no privileges, in the slot 0.
class PrivilegeGrowth : public ::testing::Test {
 protected:
  PrivilegeGrowth() {
    before.name = "web";
    before.path = directory.path();
    before.info.values = {{"STATE_DIRECTORY", "/var/lib"}, {"RUN_DIRECTORY", "/run"}};
  }

  void record(const std::vector<std::string>& privileges) { before.info.document[privileges_key] = privileges; }

  [[nodiscard]] std::vector<std::string> grown(const std::vector<std::string>& privileges) const {
    InstallPlan plan;
    plan.privileges = privileges;
    return new_privileges(before, plan);
  }

  base::test::TempDirectory directory;
  host::Deployment before;
};

TEST_F(PrivilegeGrowth, IsTheDifferenceToTheRecordedPrivileges) {
  record({"one", "two"});
  EXPECT_THAT(grown({"two", "one"}), IsEmpty());
  EXPECT_THAT(grown({"three", "two", "four"}), ElementsAre("three", "four"));
  record({});
  EXPECT_THAT(grown({"one"}), ElementsAre("one"));
}

TEST_F(PrivilegeGrowth, IgnoresTheSlotInThePathOfADeployment) {
  record({"binds /d/web.0/x and /d/web.0/y"});
  EXPECT_THAT(grown({"binds /d/web.1/x and /d/web.1/y"}), IsEmpty());
  EXPECT_THAT(grown({"binds /d/web.1/x and /d/web.1/z"}), ElementsAre("binds /d/web.1/x and /d/web.1/z"));
  EXPECT_THAT(grown({"binds /d/api.0/x and /d/api.0/y"}).size(), 1U) << "of another container";
  EXPECT_THAT(grown({"binds /d/web.2/x and /d/web.2/y"}).size(), 1U) << "no slot";
}

/// A record is complete: files of the deployment that say more, such as an edited unit, add nothing to it.
TEST_F(PrivilegeGrowth, DoesNotReadTheFilesOfADeploymentWithARecord) {
  directory.write("tmpfiles-web.conf", "R /etc/x\n");
  before.info.installed_files = {"/etc/cron.d/x"};
  before.info.document[former_privileges_key] = {"two"};
  record({"one"});
  const std::vector<std::string> others = {"two", "changes the host by a tmpfiles.d line: R /etc/x",
                                           "puts a file on the host that controls programs run by root: /etc/cron.d/x",
                                           "may change the files of all containers, which are below /var/lib"};
  EXPECT_EQ(grown(others), others);
}

TEST_F(PrivilegeGrowth, DerivesUnrecordedPrivilegesFromTheFilesOfTheDeployment) {
  const std::vector<std::string> of_texts = {
      "shares the host's network", "the unit runs a program of the host as root: ExecStartPre=/bin/true",
      "changes the host by a tmpfiles.d line: R /etc/x",
      "puts a file on the host that controls programs run by root: /etc/cron.d/x"};
  EXPECT_EQ(grown(of_texts), of_texts) << "without files, all are new";
  directory.write("config.json", R"({"linux":{"namespaces":[{"type":"mount"},{"type":"pid"},{"type":"ipc"}]}})");
  directory.write("web.service", "[Service]\nExecStartPre=/bin/true\n");
  directory.write("tmpfiles-web.conf", "R /etc/x\n");
  before.info.installed_files = {"/etc/cron.d/x"};
  EXPECT_THAT(grown(of_texts), IsEmpty());
  EXPECT_THAT(grown({"changes the host by a tmpfiles.d line: R /etc/y",
                     "puts a file on the host that controls programs run by root: /etc/cron.d/y"})
                  .size(),
              2U);
}

TEST_F(PrivilegeGrowth, TakesInstalledFilesForUnchangedOnlyInPrivilegesOfFiles) {
  before.info.installed_files = {"/etc/cron.d/x", "/etc/sysconfig/web"};
  EXPECT_THAT(grown({"the unit changes which programs it runs: EnvironmentFile=/etc/sysconfig/web"}), IsEmpty());
  EXPECT_THAT(grown({"binds the host's /etc/cron.d/x read-write at /x"}).size(), 1U);
}

/// The mount that causes this privilege is a privilege of its own.
TEST_F(PrivilegeGrowth, SkipsTheConsequenceOfAMountWithoutARecord) {
  EXPECT_THAT(grown({"may change the files of all containers, which are below /var/lib"}), IsEmpty());
}

TEST_F(PrivilegeGrowth, KnowsOnlyTheRecordOfADeploymentWithDamagedFiles) {
  directory.write("tmpfiles-web.conf", "R /etc/x\n");
  directory.write("config.json", "{");
  before.info.document[former_privileges_key] = {"one: /a"};
  EXPECT_THAT(grown({"one: /a", "changes the host by a tmpfiles.d line: R /etc/x"}),
              ElementsAre("changes the host by a tmpfiles.d line: R /etc/x"));
  before.path = directory.path("absent");
  EXPECT_THAT(grown({"one: /a", "two: /b"}), ElementsAre("two: /b"));
}

TEST_F(PrivilegeGrowth, IgnoresARecordOfAnotherType) {
  before.info.document[privileges_key] = "one";
  EXPECT_THAT(grown({"one"}), ElementsAre("one"));
  before.info.document[privileges_key] = {"one", 2, nullptr};
  EXPECT_THAT(grown({"one", "2"}), ElementsAre("2"));
}

/// Earlier versions recorded privileges under another key and in other words.
TEST_F(PrivilegeGrowth, APrivilegeOfAFormerRecordIsKnownByItsFile) {
  before.info.installed_files = {"/etc/cron.d/x", "/usr/bin/x"};
  before.info.document[former_privileges_key] = {"puts a file that root runs on the host: /etc/cron.d/x"};
  const std::vector<std::string> planned = {"puts a file on the host that controls programs run by root: /etc/cron.d/x",
                                            "puts a setuid or setgid program on the host: /usr/bin/x (4755)"};
  EXPECT_THAT(grown(planned), ElementsAre(planned.back()));
  EXPECT_THAT(grown({"puts a setuid or setgid program on the host: /etc/cron.d/x"}).size(), 1U)
      << "the record is about no setuid program";
  before.info.document[former_privileges_key] = base::Json::array();
  EXPECT_EQ(grown(planned), planned) << "an empty record says that there were none";
}

/// Versions that did not record privileges bound /etc/hosts of the host, and volumes from another directory.
TEST_F(PrivilegeGrowth, ChangedSourcesOfBerthsOwnBindsAreNoNewPrivileges) {
  directory.write("config.json", R"({"mounts":[
      {"destination":"/data","type":"bind","source":"/var/lib/web/data","options":["rbind","rw"]},
      {"destination":"/etc/hosts","type":"bind","source":"/etc/hosts","options":["bind","ro"]}]})");
  EXPECT_THAT(grown({"binds the host's /var/lib/berth/web/data read-write at /data",
                     "binds the host's /run/container-web/resolv.conf read-only at /etc/resolv.conf",
                     "binds the host's /run/container-web/hosts read-only at /etc/hosts"}),
              IsEmpty());
  const std::string other = "binds the host's /var/lib/berth/other/data read-write at /data";
  EXPECT_THAT(grown({other}), ElementsAre(other));
}

}  // namespace
}  // namespace berth::ops
