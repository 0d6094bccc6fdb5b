// SPDX-License-Identifier: LGPL-2.1-or-later
#include "render/spec/config_convert.hpp"

#include "base/json.hpp"
#include "render/spec/config_check.hpp"
#include "render/support.hpp"

namespace berth::render {
namespace {

using base::Json;
using test::error_of;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

struct Case {
  const char* name;
  std::string before;  ///< members beside ociVersion and cwd, or a whole document when it has an ociVersion
  std::string after;
  std::vector<std::string> reports;
  HostFeatures features = {};
};

std::string whole(const std::string& members) {
  return members.find("ociVersion") == std::string::npos ? "{\"ociVersion\": \"1.0.2\", " + members + "}" : members;
}

const char* const cwd_ok = "\"process\": {\"cwd\": \"/\"}";

/// The beginning of a process with a working directory, for further members.
const char* const process_with = "\"process\": {\"cwd\": \"/\", ";

std::vector<Case> version_cases() {
  return {
      {"nothing to do", cwd_ok, cwd_ok, {}},
      {"empty hooks are valid", std::string(cwd_ok) + R"(, "hooks": {})", std::string(cwd_ok) + R"(, "hooks": {})", {}},
      {"version 0.3.0",
       R"({"ociVersion": "0.3.0"})",
       R"({"ociVersion": "1.0.2"})",
       {"ociVersion 0.3.0 raised to 1.0.2"}},
      {"version rc3",
       R"({"ociVersion": "1.0.0-rc3"})",
       R"({"ociVersion": "1.0.2"})",
       {"ociVersion 1.0.0-rc3 raised to 1.0.2"}},
      {"version 1.0.0", R"({"ociVersion": "1.0.0"})", R"({"ociVersion": "1.0.0"})", {}},
      {"version 1.0.2-dev", R"({"ociVersion": "1.0.2-dev"})", R"({"ociVersion": "1.0.2-dev"})", {}},
      {"version 1.2.0", R"({"ociVersion": "1.2.0"})", R"({"ociVersion": "1.2.0"})", {}},
      {"version empty", R"({"ociVersion": ""})", R"({"ociVersion": "1.0.2"})", {"ociVersion 1.0.2 added"}},
      {"platform",
       R"("platform": {"os": "linux", "arch": "amd64"})",
       "\"a\": 0",
       {"platform removed: the runtime specification dropped it"}}};
}

std::vector<Case> moved_cases() {
  const std::string process = process_with;
  const std::string sets =
      R"({"bounding": ["CAP_KILL"], "effective": ["CAP_KILL"], "inheritable": ["CAP_KILL"], "permitted": ["CAP_KILL"]})";
  return {{"capabilities list in process",
           process + R"("capabilities": ["CAP_KILL"]})",
           process + "\"capabilities\": " + sets + "}",
           {"capabilities list converted to sets: bounding, effective, inheritable, permitted"}},
          {"capabilities list in linux",
           std::string(cwd_ok) + R"(, "linux": {"capabilities": ["CAP_KILL"]})",
           process + "\"capabilities\": " + sets + R"(}, "linux": {})",
           {"linux.capabilities moved to process.capabilities",
            "capabilities list converted to sets: bounding, effective, inheritable, permitted"}},
          {"capabilities in both",
           process + "\"capabilities\": " + sets + R"(}, "linux": {"capabilities": ["CAP_CHOWN"]})",
           process + "\"capabilities\": " + sets + R"(}, "linux": {})",
           {"linux.capabilities removed: process.capabilities is set"}},
          {"rlimits in linux",
           std::string(cwd_ok) + R"(, "linux": {"rlimits": [{"type": "RLIMIT_NOFILE", "hard": 1, "soft": 1}]})",
           process + R"("rlimits": [{"type": "RLIMIT_NOFILE", "hard": 1, "soft": 1}]}, "linux": {})",
           {"linux.rlimits moved to process.rlimits"}},
          {"oomScoreAdj",
           std::string(cwd_ok) + R"(, "linux": {"resources": {"oomScoreAdj": -10, "disableOOMKiller": true}})",
           process + R"("oomScoreAdj": -10}, "linux": {"resources": {"memory": {"disableOOMKiller": true}}})",
           {"linux.resources.oomScoreAdj moved to process.oomScoreAdj",
            "linux.resources.disableOOMKiller moved to linux.resources.memory.disableOOMKiller"}}};
}

std::vector<Case> label_cases() {
  const std::string process = process_with;
  const HostFeatures modules{true, true, true};
  return {{"SELinux label without SELinux",
           process + R"("selinuxLabel": "system_u:system_r:x_t:s0"}, "linux": {"mountLabel": "y"})",
           std::string(cwd_ok) + R"(, "linux": {})",
           {"process.selinuxLabel removed: this host does not use SELinux",
            "linux.mountLabel removed: this host does not use SELinux"}},
          {"SELinux label with SELinux",
           process + R"("selinuxLabel": "a:b:c:d"})",
           process + R"("selinuxLabel": "a:b:c:d"})",
           {},
           modules},
          {"empty labels",
           process + R"("selinuxLabel": "", "apparmorProfile": ""})",
           cwd_ok,
           {"process.selinuxLabel removed: it is empty", "process.apparmorProfile removed: it is empty"},
           modules},
          {"old SELinux key",
           std::string(cwd_ok) + R"(, "linux": {"selinuxProcessLabel": "a:b:c:d"})",
           process + R"("selinuxLabel": "a:b:c:d"}, "linux": {})",
           {"linux.selinuxProcessLabel moved to process.selinuxLabel"},
           modules},
          {"old SELinux key in process",
           process + R"("selinuxProcessLabel": "a:b:c:d"})",
           process + R"("selinuxLabel": "a:b:c:d"})",
           {"process.selinuxProcessLabel moved to process.selinuxLabel"},
           modules},
          {"AppArmor without the module",
           process + R"("apparmorProfile": "x"})",
           cwd_ok,
           {"process.apparmorProfile removed: this host does not use AppArmor"}},
          {"old AppArmor key, empty",
           R"("linux": {"apparmorProfile": ""})",
           R"("linux": {})",
           {"linux.apparmorProfile removed: it is empty"}},
          {"old AppArmor key",
           std::string(cwd_ok) + R"(, "linux": {"apparmorProfile": "x"})",
           process + R"("apparmorProfile": "x"}, "linux": {})",
           {"linux.apparmorProfile moved to process.apparmorProfile"},
           modules}};
}

std::vector<Case> other_cases() {
  return {
      {"nulls",
       std::string(cwd_ok) +
           R"(, "hooks": null, "linux": {"devices": null, "resources": {"devices": [{"allow": true, "major": null}]}})",
       std::string(cwd_ok) + R"(, "linux": {"resources": {"devices": [{"allow": true}]}})",
       {"null removed where the specification requires a value: hooks, linux.devices, "
        "linux.resources.devices[0].major"}},
      {"many nulls",
       std::string(cwd_ok) + R"(, "linux": {"a": null, "b": null, "c": null, "d": null, "e": null, "f": null})",
       std::string(cwd_ok) + R"(, "linux": {})",
       {"null removed where the specification requires a value: linux.a, linux.b, linux.c, linux.d, linux.e and 1 "
        "more"}},
      {"empty seccomp",
       R"("linux": {"seccomp": {"defaultAction": "", "architectures": []}})",
       R"("linux": {})",
       {"linux.seccomp removed: its defaultAction is empty, so it filters nothing"}},
      {"seccomp {}",
       R"("linux": {"seccomp": {}})",
       R"("linux": {})",
       {"linux.seccomp removed: its defaultAction is empty, so it filters nothing"}},
      {"seccomp name",
       R"("linux": {"seccomp": {"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"name": "reboot", "action": "SCMP_ACT_ERRNO"}]}})",
       R"("linux": {"seccomp": {"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"action": "SCMP_ACT_ERRNO", "names": ["reboot"]}]}})",
       {"linux.seccomp.syscalls: name converted to names"}},
      {"empty cwd", R"("process": {"cwd": ""})", cwd_ok, {"process.cwd set to /: it was empty"}},
      {"missing cwd", R"("process": {})", cwd_ok, {"process.cwd set to /: it was empty"}},
      {"empty propagation",
       R"("linux": {"rootfsPropagation": ""})",
       R"("linux": {})",
       {"linux.rootfsPropagation removed: it is empty"}},
      {"propagation stays",
       R"("linux": {"rootfsPropagation": "rslave"})",
       R"("linux": {"rootfsPropagation": "rslave"})",
       {}},
      {"empty namespace path",
       R"("linux": {"namespaces": [{"type": "pid", "path": ""}]})",
       R"("linux": {"namespaces": [{"type": "pid"}]})",
       {"linux.namespaces: empty path removed"}},
      {"mode on a bind mount stays",
       R"("mounts": [{"destination": "/x", "type": "bind", "source": "/y", "options": ["rbind", "rw", "mode=755"]}])",
       R"("mounts": [{"destination": "/x", "type": "bind", "source": "/y", "options": ["rbind", "rw", "mode=755"]}])",
       {}},
      {"bind mount without options",
       R"("mounts": [{"destination": "/x", "type": "bind", "source": "/y"}])",
       R"("mounts": [{"destination": "/x", "type": "bind", "source": "/y", "options": ["bind"]}])",
       {"mounts: option bind added to mounts of type bind: /x"}}};
}

void expect_conversion(const Case& one) {
  SCOPED_TRACE(one.name);
  Json document = base::parse_json(whole(one.before), "c");
  check_shape(document, "c");
  const auto reports = convert_config(document, "c", one.features);
  Json expected = base::parse_json(whole(one.after), "c");
  expected.erase("a");
  EXPECT_EQ(nlohmann::json(document).dump(1), nlohmann::json(expected).dump(1));
  EXPECT_EQ(reports, one.reports);
  EXPECT_THAT(convert_config(document, "c", one.features), IsEmpty()) << "a second time";
}

TEST(ConfigConvert, ConvertsAndReportsEachForm) {
  for (const auto& list : {version_cases(), moved_cases(), label_cases(), other_cases()}) {
    for (const auto& one : list) {
      expect_conversion(one);
    }
  }
}

TEST(ConfigConvert, RefusesFormsWithoutAClearMeaning) {
  for (const char* version : {"garbage", "1", "1.0", "1.0.0x", "1.0.99999999999999999999", "v1.0.0"}) {
    Json document = {{"ociVersion", version}};
    const auto error = error_of([&] { convert_config(document, "exports/config.json", {}); });
    EXPECT_EQ(error.kind(), base::ErrorKind::verification);
    EXPECT_THAT(error.message(), HasSubstr("exports/config.json: ociVersion: `")) << version;
  }
  Json seccomp = base::parse_json(whole(R"("linux": {"seccomp": {"syscalls": [{"names": ["reboot"]}]}})"), "c");
  EXPECT_THAT(error_of([&] { convert_config(seccomp, "c", {}); }).message(), HasSubstr("no defaultAction"));
}

TEST(ConfigConvert, KeepsTheOrderOfKeys) {
  Json document = base::parse_json(R"({"z": 1, "ociVersion": "0.3.0", "platform": {}, "a": 2})", "c");
  convert_config(document, "c", {});
  std::vector<std::string> keys;
  for (const auto& [key, value] : document.items()) {
    keys.push_back(key);
  }
  EXPECT_THAT(keys, ElementsAre("z", "ociVersion", "a"));
}

}  // namespace
}  // namespace berth::render
