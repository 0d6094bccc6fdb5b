// SPDX-License-Identifier: LGPL-2.1-or-later
// Containers in user mode: the paths of their files, and the changes to images that were made for the system.
#include "ops/rootless.hpp"

#include <gmock/gmock.h>

#include "base/json.hpp"
#include "ops/containers/uninstall.hpp"
#include "ops/machine.hpp"

namespace berth::ops {
namespace {

using test::Machine;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

constexpr const char* unit_path = "home/alice/.config/systemd/user/web.service";
constexpr const char* deployment = "home/alice/.local/share/containers/berth/web.0";

class UserMode : public ::testing::Test {
 protected:
  UserMode() {
    machine_.facts.uid = 1000;
    machine_.facts.gid = 1001;
    machine_.write("etc/subuid", "alice:100000:65536\n");
    machine_.write("etc/subgid", "alice:200000:65536\n");
    machine_.write("usr/bin/newuidmap", "", 04755);
    machine_.write("usr/bin/newgidmap", "", 04755);
    machine_.write("var/lib/systemd/linger/alice", "");
    machine_.make_directory("home/alice/.config/systemd/user");
    machine_.make_directory("home/alice/.config/user-tmpfiles.d");
  }
  void install_web(const std::string& runtime = "") {
    auto context = machine_.context();
    InstallRequest request;
    request.image = machine_.image("web-image", test::full_image());
    request.name = "web";
    request.runtime = runtime;
    install(context, request);
  }

  Machine machine_{host::UserDirectories{"alice", 1000, "/home/alice", "/home/alice/.local/share",
                                         "/home/alice/.config", "/run/user/1000"}};
};

TEST_F(UserMode, AllFilesAreBelowTheUsersDirectories) {
  install_web();
  EXPECT_THAT(machine_.read(unit_path), HasSubstr("WantedBy=default.target"));
  EXPECT_TRUE(machine_.exists("home/alice/.config/systemd/user/default.target.wants/web.service"));
  EXPECT_FALSE(machine_.exists("etc/systemd/system/web.service"));
  EXPECT_FALSE(machine_.exists("var/lib/containers"));
  EXPECT_EQ("d /home/alice/.data/web 0700 - - - -\n", machine_.read("home/alice/.config/user-tmpfiles.d/web.conf"));
}

TEST_F(UserMode, ConfigHasTheUsersIdsAndCgroup) {
  machine_.write("usr/bin/crun", "", 0755);
  install_web("/usr/bin/crun");
  const auto config = base::parse_json(machine_.read(std::string(deployment) + "/config.json"), "config.json");
  const auto& section = config.at("linux");
  EXPECT_EQ(R"([{"containerID":0,"hostID":1000,"size":1},{"containerID":1,"hostID":100000,"size":65536}])",
            section.at("uidMappings").dump());
  EXPECT_EQ(R"([{"containerID":0,"hostID":1001,"size":1},{"containerID":1,"hostID":200000,"size":65536}])",
            section.at("gidMappings").dump());
  EXPECT_EQ("/user.slice/user-1000.slice/user@1000.service/app.slice/web.service/payload",
            section.at("cgroupsPath").get<std::string>());
}

TEST_F(UserMode, HostFilesAreNotCopiedAndAWarningIsShown) {
  install_web();
  EXPECT_FALSE(machine_.exists("usr/local/bin/webctl"));
  EXPECT_FALSE(machine_.exists("etc/web"));
  EXPECT_THAT(machine_.reporter.warnings, ElementsAre(HasSubstr("exports/hostfs")));
}

TEST_F(UserMode, UninstallRemovesTheFiles) {
  install_web();
  auto context = machine_.context();
  uninstall(context, "web");
  EXPECT_FALSE(machine_.exists(unit_path));
  EXPECT_FALSE(machine_.exists(deployment));
}

TEST_F(UserMode, MissingSubordinateIdsAndLingeringAreWarnings) {
  machine_.write("etc/subgid", "");
  std::filesystem::remove(machine_.on_disk("var/lib/systemd/linger/alice"));
  const auto context = machine_.context();
  check_rootless(context, true);
  EXPECT_THAT(machine_.reporter.warnings, ElementsAre(HasSubstr("/etc/subgid"), HasSubstr("enable-linger alice")));
  EXPECT_THAT(rootless(context).uids, SizeIs(1));
}

TEST_F(UserMode, AOneOffDoesNotNeedLingering) {
  std::filesystem::remove(machine_.on_disk("var/lib/systemd/linger/alice"));
  check_rootless(machine_.context(), false);
  EXPECT_THAT(machine_.reporter.warnings, IsEmpty());
}

TEST_F(UserMode, ControllersAreThoseDelegatedToTheUser) {
  machine_.write("sys/fs/cgroup/user.slice/user-1000.slice/user@1000.service/cgroup.controllers", "memory pids\n");
  EXPECT_THAT(rootless(machine_.context()).controllers, ElementsAre("memory", "pids"));
}

TEST(SystemMode, ChecksNoRequirementsOfUserMode) {
  Machine machine;
  machine.write("proc/sys/user/max_user_namespaces", "0\n");
  check_rootless(machine.context(), true);
  enter_user_cgroup(machine.context());
  EXPECT_THAT(machine.reporter.warnings, IsEmpty());
  EXPECT_THAT(machine.systemd.calls, Not(Contains(HasSubstr("scope"))));
}

}  // namespace
}  // namespace berth::ops
