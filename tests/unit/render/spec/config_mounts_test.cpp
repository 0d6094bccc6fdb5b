// SPDX-License-Identifier: LGPL-2.1-or-later
#include "render/spec/config_mounts.hpp"

#include "base/json.hpp"
#include "render/support.hpp"

namespace berth::render {
namespace {

using base::Json;
using testing::ElementsAre;
using testing::IsEmpty;

Json mounts(const std::string& list) {
  return base::parse_json("{\"mounts\": " + list + "}", "c");
}

TEST(ConfigMounts, MakesDestinationsAbsolute) {
  Json document = mounts(R"([{"destination": "var/x", "type": "tmpfs"}])");
  EXPECT_THAT(convert_mounts(document, true), ElementsAre("mounts: relative destinations made absolute: var/x"));
  EXPECT_EQ(document["mounts"][0]["destination"], "/var/x");
}

TEST(ConfigMounts, AddsBindAsTheFirstOption) {
  Json document = mounts(R"([{"destination": "/a", "type": "bind", "source": "/b", "options": ["ro"]},
                             {"destination": "/c", "type": "bind", "source": "/b", "options": ["rbind"]},
                             {"destination": "/d", "source": "/b", "options": ["bind"]}])");
  EXPECT_THAT(convert_mounts(document, true), ElementsAre("mounts: option bind added to mounts of type bind: /a"));
  EXPECT_EQ(document["mounts"][0]["options"], Json::array({"bind", "ro"}));
}

const char* const v1_mounts = R"([
  {"destination": "/sys/fs/cgroup", "type": "tmpfs", "source": "tmpfs", "options": ["mode=755"]},
  {"destination": "/sys/fs/cgroup/systemd", "type": "cgroup", "source": "cgroup", "options": ["none", "name=systemd"]},
  {"destination": "/sys/fs/cgroup/memory", "type": "bind", "source": "/sys/fs/cgroup/memory/x", "options": ["rbind"]},
  {"destination": "/tmp", "type": "tmpfs", "source": "tmpfs"}])";

TEST(ConfigMounts, RemovesMountsOfVersionOneHierarchies) {
  Json document = mounts(v1_mounts);
  EXPECT_THAT(convert_mounts(document, true),
              ElementsAre("mounts of cgroup v1 hierarchies removed, this host has unified cgroups: "
                          "/sys/fs/cgroup/systemd, /sys/fs/cgroup/memory",
                          "mounts: the tmpfs on /sys/fs/cgroup converted to a read-only mount of the unified cgroups"));
  ASSERT_EQ(document["mounts"].size(), 2U);
  EXPECT_EQ(document["mounts"][0]["type"], "cgroup");
  EXPECT_EQ(document["mounts"][1]["destination"], "/tmp");
}

TEST(ConfigMounts, KeepsVersionOneMountsOnAHostWithVersionOne) {
  Json document = mounts(v1_mounts);
  const Json before = document;
  EXPECT_THAT(convert_mounts(document, false), IsEmpty());
  EXPECT_EQ(document, before);
}

TEST(ConfigMounts, RemovesOptionsOfVersionOne) {
  Json document = mounts(
      R"([{"destination": "/sys/fs/cgroup", "type": "cgroup", "source": "cgroup", "options": ["ro", "none", "name=systemd", "nsdelegate"]}])");
  EXPECT_THAT(convert_mounts(document, true),
              ElementsAre("mounts: cgroup v1 options removed from the mount of /sys/fs/cgroup"));
  EXPECT_EQ(document["mounts"][0]["options"], Json::array({"ro", "nsdelegate"}));
}

TEST(ConfigMounts, KeepsTheUnifiedMountAndALoneTmpfs) {
  for (
      const char* list :
      {R"([{"destination": "/sys/fs/cgroup", "type": "cgroup", "source": "cgroup", "options": ["nosuid", "noexec", "nodev", "relatime", "ro"]}])",
       R"([{"destination": "/sys/fs/cgroup", "type": "tmpfs", "source": "tmpfs"}])",
       R"([{"destination": "/x", "type": "bind", "source": "/sys/fs/cgroup/system.slice", "options": ["bind"]}])"}) {
    Json document = mounts(list);
    const Json before = document;
    EXPECT_THAT(convert_mounts(document, true), IsEmpty());
    EXPECT_EQ(document, before);
  }
  Json none = Json::object();
  EXPECT_THAT(convert_mounts(none, true), IsEmpty());
}

TEST(ConfigMounts, DetectsPathsOfTheHost) {
  const std::vector<std::pair<const char*, bool>> cases = {
      {R"([])", false},
      {R"([{"destination": "/run", "type": "bind", "source": "/run", "options": ["rbind", "rw"]}])", true},
      {R"([{"destination": "/run/", "source": "/run/", "options": ["bind"]}])", true},
      {R"([{"destination": "/run/systemd/notify", "source": "/run/systemd/notify", "options": ["bind"]}])", true},
      {R"([{"destination": "/", "source": "/", "options": ["bind"]}])", true},
      {R"([{"destination": "/run", "type": "bind", "source": "/srv/run", "options": ["bind"]}])", false},
      {R"([{"destination": "/ru", "type": "bind", "source": "/ru", "options": ["bind"]}])", false},
      {R"([{"destination": "/run", "type": "tmpfs", "source": "tmpfs"}])", false},
      {R"([{"destination": "/run", "source": "/run", "options": ["bind"]}, {"destination": "/run", "type": "tmpfs"}])",
       false},
      {R"([{"destination": "/run", "type": "tmpfs"}, {"destination": "/run", "source": "/run", "options": ["bind"]},
           {"destination": "/run/lock", "type": "tmpfs"}])",
       true}};
  for (const auto& [list, expected] : cases) {
    EXPECT_EQ(has_host_path(mounts(list), "/run/systemd/notify"), expected) << list;
  }
  EXPECT_FALSE(has_host_path(Json::object(), "/run/systemd/notify"));
}

}  // namespace
}  // namespace berth::render
