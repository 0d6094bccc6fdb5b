// SPDX-License-Identifier: LGPL-2.1-or-later
#include "render/spec/rootless_config.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>

#include "base/error.hpp"
#include "base/json.hpp"

namespace berth::render {
namespace {

using base::Json;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr const char* own_cgroup = "/user.slice/user-1000.slice/user@1000.service/app.slice/web.service/payload";

Rootless space_with_ranges() {
  Rootless space;
  space.uids = id_mappings(1000, {{100000, 65536}});
  space.gids = id_mappings(1000, {{100000, 65536}});
  space.name = "alice";
  space.controllers = {"memory", "pids"};
  space.sets_groups = true;
  return space;
}

Rootless single_id() {
  Rootless space;
  space.uids = space.gids = id_mappings(1000, {});
  space.name = "bob";
  return space;
}

Json minimal() {
  return Json::parse(R"({"ociVersion":"1.0.2","root":{"path":"rootfs","readonly":true},
    "process":{"args":["/bin/sh"],"cwd":"/","user":{"uid":0,"gid":0}},
    "linux":{"namespaces":[{"type":"mount"},{"type":"pid"},{"type":"ipc"}]}})");
}

/// The result for one mount of a configuration with its own mount, pid and ipc namespaces.
Json mount_of(const char* text, const Rootless& space = space_with_ranges(), const char* namespaces = nullptr) {
  auto document = minimal();
  document["mounts"] = Json::array({Json::parse(text)});
  if (namespaces != nullptr) {
    document["linux"]["namespaces"] = Json::parse(namespaces);
  }
  convert_to_rootless(document, space, own_cgroup);
  return document["mounts"][0];
}

TEST(IdMappings, MapTheUserToRootFollowedByTheRanges) {
  EXPECT_THAT(id_mappings(1000, {}), ElementsAre(IdMapping{0, 1000, 1}));
  EXPECT_THAT(id_mappings(1000, {{100000, 10}, {300000, 5}}),
              ElementsAre(IdMapping{0, 1000, 1}, IdMapping{1, 100000, 10}, IdMapping{11, 300000, 5}));
}

TEST(IdMappings, NeverReachTheInvalidId) {
  const auto mappings = id_mappings(1000, {{100000, 4294867295U}, {1, 4294967295U}, {5, 10}});
  std::uint64_t total = 0;
  for (const auto& mapping : mappings) {
    total += mapping.size;
  }
  EXPECT_LE(total, 4294967294U);
}

TEST(RootlessConfig, AddsAUserNamespaceAndSharesTheNetwork) {
  auto document = minimal();
  document["linux"]["namespaces"].push_back({{"type", "network"}});
  const auto done = convert_to_rootless(document, space_with_ranges(), own_cgroup);
  EXPECT_EQ(R"([{"type":"mount"},{"type":"pid"},{"type":"ipc"},{"type":"user"}])",
            document["linux"]["namespaces"].dump());
  EXPECT_EQ(R"([{"containerID":0,"hostID":1000,"size":1},{"containerID":1,"hostID":100000,"size":65536}])",
            document["linux"]["uidMappings"].dump());
  EXPECT_EQ(document["linux"]["uidMappings"], document["linux"]["gidMappings"]);
  EXPECT_THAT(done, ElementsAre(HasSubstr("network namespace removed")));
}

TEST(RootlessConfig, AddsASectionLinux) {
  auto document = minimal();
  document.erase("linux");
  EXPECT_THAT(convert_to_rootless(document, single_id(), own_cgroup), IsEmpty());
  EXPECT_EQ(R"([{"type":"user"}])", document["linux"]["namespaces"].dump());
  EXPECT_EQ(own_cgroup, document["linux"]["cgroupsPath"]);
}

TEST(RootlessConfig, ReplacesACgroupOfTheSystem) {
  auto document = minimal();
  document["linux"]["cgroupsPath"] = "/system.slice/web";
  EXPECT_THAT(convert_to_rootless(document, single_id(), own_cgroup), ElementsAre(HasSubstr("/system.slice/web")));
  EXPECT_EQ(own_cgroup, document["linux"]["cgroupsPath"]);
}

TEST(RootlessConfig, IsIdempotent) {
  auto document = minimal();
  document["mounts"] = Json::parse(R"([{"destination":"/sys","type":"sysfs","source":"sysfs"}])");
  convert_to_rootless(document, space_with_ranges(), own_cgroup);
  const auto once = document;
  EXPECT_THAT(convert_to_rootless(document, space_with_ranges(), own_cgroup), IsEmpty());
  EXPECT_EQ(once.dump(), document.dump());
}

struct MountCase {
  const char* before;
  const char* after;
};

class RootlessMounts : public ::testing::TestWithParam<MountCase> {};

TEST_P(RootlessMounts, Become) {
  EXPECT_EQ(Json::parse(GetParam().after).dump(), mount_of(GetParam().before).dump());
}

INSTANTIATE_TEST_SUITE_P(
    Table, RootlessMounts,
    ::testing::Values(
        MountCase{R"({"destination":"/sys","type":"sysfs","source":"sysfs","options":["nosuid","ro"]})",
                  R"({"destination":"/sys","type":"bind","source":"/sys",
                      "options":["rbind","nosuid","noexec","nodev","ro"]})"},
        MountCase{R"({"destination":"/proc","type":"proc","source":"proc"})",
                  R"({"destination":"/proc","type":"proc","source":"proc","options":["nosuid","nodev"]})"},
        MountCase{
            R"({"destination":"/data","type":"bind","source":"/home/alice/d","options":["rbind","rw","suid","dev"]})",
            R"({"destination":"/data","type":"bind","source":"/home/alice/d",
                      "options":["rbind","rw","nosuid","nodev"]})"},
        MountCase{R"({"destination":"/dev","type":"tmpfs","source":"tmpfs","options":["mode=755"]})",
                  R"({"destination":"/dev","type":"tmpfs","source":"tmpfs","options":["mode=755"]})"},
        MountCase{R"({"destination":"/device","type":"tmpfs","source":"tmpfs","options":["mode=755"]})",
                  R"({"destination":"/device","type":"tmpfs","source":"tmpfs",
                      "options":["mode=755","nosuid","nodev"]})"},
        MountCase{R"({"destination":"/dev/pts","type":"devpts","source":"devpts","options":["mode=0620","gid=5"]})",
                  R"({"destination":"/dev/pts","type":"devpts","source":"devpts","options":["mode=0620","gid=5"]})"},
        MountCase{R"({"destination":"/tmp","type":"tmpfs","source":"tmpfs","options":["uid=70000","gid=x"]})",
                  R"({"destination":"/tmp","type":"tmpfs","source":"tmpfs","options":["nosuid","nodev"]})"}));

TEST(RootlessConfig, RemovesUnmappedGroupsFromMountOptions) {
  const auto mount =
      mount_of(R"({"destination":"/dev/pts","type":"devpts","source":"devpts","options":["gid=5"]})", single_id());
  EXPECT_THAT(mount["options"], IsEmpty());
}

TEST(RootlessConfig, BindsKernelFileSystemsOfSharedNamespaces) {
  for (const char* type : {"proc", "mqueue"}) {
    const auto text = std::string(R"({"destination":"/x","type":")") + type + R"(","source":"x"})";
    const auto mount = mount_of(text.c_str(), space_with_ranges(), R"([{"type":"mount"}])");
    EXPECT_EQ("bind", mount["type"]) << type;
    EXPECT_THAT(mount["source"].get<std::string>(), HasSubstr(type)) << type;
  }
}

TEST(RootlessConfig, KeepsLimitsOfDelegatedControllers) {
  auto document = minimal();
  document["linux"]["resources"] =
      Json::parse(R"({"devices":[{"allow":false}],"memory":{"limit":1},"pids":{"limit":9},"cpu":{"shares":2}})");
  EXPECT_THAT(convert_to_rootless(document, space_with_ranges(), own_cgroup), ElementsAre(HasSubstr("cpu")));
  EXPECT_EQ(R"({"memory":{"limit":1},"pids":{"limit":9}})", document["linux"]["resources"].dump());
}

TEST(RootlessConfig, RemovesDeviceRulesSilently) {
  auto document = minimal();
  document["linux"]["resources"] = Json::parse(R"({"devices":[{"allow":false,"access":"rwm"}]})");
  EXPECT_THAT(convert_to_rootless(document, single_id(), own_cgroup), IsEmpty());
  EXPECT_FALSE(document["linux"].contains("resources"));
}

TEST(RootlessConfig, RemovesLimitsThatOnlyRootMayRaise) {
  struct rlimit own {};
  ASSERT_EQ(0, ::getrlimit(RLIMIT_NOFILE, &own));
  auto document = minimal();
  document["process"]["oomScoreAdj"] = -999;
  document["process"]["rlimits"] =
      Json::parse(R"([{"type":"RLIMIT_NOFILE","hard":10,"soft":10},{"type":"RLIMIT_CORE","hard":0,"soft":0}])");
  document["process"]["rlimits"][0]["hard"] = own.rlim_max + 1;
  const auto done = convert_to_rootless(document, single_id(), own_cgroup);
  EXPECT_THAT(done, ElementsAre(HasSubstr("oomScoreAdj"), HasSubstr("RLIMIT_NOFILE")));
  EXPECT_EQ(R"([{"type":"RLIMIT_CORE","hard":0,"soft":0}])", document["process"]["rlimits"].dump());
  EXPECT_FALSE(document["process"].contains("oomScoreAdj"));
}

TEST(RootlessConfig, PutsACommandThatIsNotRootIntoTheGroupOfAllFiles) {
  auto document = minimal();
  document["process"]["user"] = Json::parse(R"({"uid":33,"gid":33,"additionalGids":[4,90000]})");
  convert_to_rootless(document, space_with_ranges(), own_cgroup);
  EXPECT_EQ(R"({"uid":33,"gid":33,"additionalGids":[4,0]})", document["process"]["user"].dump());
  EXPECT_FALSE(runs_as_root(document));
}

TEST(RootlessConfig, PassesNoGroupsToARuntimeThatKeepsTheUsers) {
  auto document = minimal();
  document["process"]["user"] = Json::parse(R"({"uid":33,"gid":33,"additionalGids":[4]})");
  auto space = space_with_ranges();
  space.sets_groups = false;
  convert_to_rootless(document, space, own_cgroup);
  EXPECT_EQ(R"({"uid":33,"gid":33})", document["process"]["user"].dump());
}

TEST(RootlessConfig, RefusesAnUnmappedUserWithTheRemedy) {
  auto document = minimal();
  document["process"]["user"]["uid"] = 33;
  try {
    convert_to_rootless(document, single_id(), own_cgroup);
    FAIL();
  } catch (const base::Error& error) {
    EXPECT_EQ(base::ErrorKind::not_permitted, error.kind());
    EXPECT_THAT(error.message(), HasSubstr("uid 33"));
    EXPECT_THAT(error.hint(), HasSubstr("usermod --add-subuids"));
  }
}

TEST(RootlessUnit, StartsWithTheDefaultTarget) {
  EXPECT_EQ(
      "[Unit]\nAfter=multi-user.target\n[Install]\n# WantedBy=multi-user.target\nWantedBy=default.target x.target",
      rootless_unit("[Unit]\nAfter=multi-user.target\n[Install]\n# WantedBy=multi-user.target\n"
                    "WantedBy=multi-user.target x.target"));
  EXPECT_EQ("[Install]\nRequiredBy=default.target\n[X]\nWantedBy=graphical.target\n",
            rootless_unit("[Install]\nRequiredBy=graphical.target\n[X]\nWantedBy=graphical.target\n"));
}

TEST(RootlessUnit, FollowsContinuedLines) {
  EXPECT_EQ("[Install]\nWantedBy=x.target \\\n  default.target\n",
            rootless_unit("[Install]\nWantedBy=x.target \\\n  multi-user.target\n"));
  EXPECT_EQ("[Unit]\nDescription=\\\n[Install]\nAfter=multi-user.target\n",
            rootless_unit("[Unit]\nDescription=\\\n[Install]\nAfter=multi-user.target\n"));
}

struct LineCase {
  const char* before;
  const char* as_root;
  const char* as_other;
};

class RootlessTmpfiles : public ::testing::TestWithParam<LineCase> {};

TEST_P(RootlessTmpfiles, HaveNoOwners) {
  EXPECT_EQ(GetParam().as_root, rootless_tmpfiles(GetParam().before, false));
  EXPECT_EQ(GetParam().as_other, rootless_tmpfiles(GetParam().before, true));
}

INSTANTIATE_TEST_SUITE_P(
    Table, RootlessTmpfiles,
    ::testing::Values(LineCase{"", "", ""}, LineCase{"# a b c d e\n", "# a b c d e\n", "# a b c d e\n"},
                      LineCase{"d /x 0700 root root - -\n", "d /x 0700 - - - -\n", "d /x 0770 - - - -\n"},
                      LineCase{"d  /x\t0755  33 33", "d  /x\t0755 - -", "d  /x\t0775 - -"},
                      LineCase{"d /x", "d /x", "d /x"}, LineCase{"d /x - - - 10d", "d /x - - - 10d", "d /x - - - 10d"},
                      LineCase{"d \"/a b\" 0700 u g -\nL /y - - - - /z\n", "d \"/a b\" 0700 - - -\nL /y - - - - /z\n",
                               "d \"/a b\" 0770 - - -\nL /y - - - - /z\n"},
                      LineCase{"f /x ~0640 u g - text 8 9", "f /x ~0640 - - - text 8 9", "f /x ~0660 - - - text 8 9"}));

}  // namespace
}  // namespace berth::render
