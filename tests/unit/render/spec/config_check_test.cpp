// SPDX-License-Identifier: LGPL-2.1-or-later
#include "render/spec/config_check.hpp"

#include "base/json.hpp"
#include "render/support.hpp"

namespace berth::render {
namespace {

using test::error_of;
using testing::HasSubstr;

const char* const good = R"({"process": {"args": ["a"], "cwd": "/"}, "root": {"path": "rootfs", "readonly": true}})";

base::Json patched(const char* patch) {
  base::Json document = base::parse_json(good, "c");
  document.merge_patch(base::parse_json(patch, "patch"));
  return document;
}

TEST(ConfigCheck, AcceptsAValidDocument) {
  const auto document = base::parse_json(good, "c");
  EXPECT_NO_THROW(check_shape(document, "c"));
  EXPECT_NO_THROW(check_config(document, "c", false));
}

TEST(ConfigCheck, WrongTypesNameTheKey) {
  const std::vector<std::pair<const char*, const char*>> cases = {
      {R"([])", "expected an object"},
      {R"({"ociVersion": 1})", "ociVersion"},
      {R"({"root": "rootfs"})", "root"},
      {R"({"root": {"readonly": "true"}})", "root.readonly"},
      {R"({"root": {"path": 1}})", "root.path"},
      {R"({"process": []})", "process"},
      {R"({"process": {"args": "sh"}})", "process.args"},
      {R"({"process": {"env": [1]}})", "process.env[0]"},
      {R"({"process": {"user": "root"}})", "process.user"},
      {R"({"process": {"cwd": 1}})", "process.cwd"},
      {R"({"process": {"noNewPrivileges": "yes"}})", "process.noNewPrivileges"},
      {R"({"process": {"capabilities": "all"}})", "process.capabilities"},
      {R"({"process": {"capabilities": {"bounding": "all"}}})", "process.capabilities.bounding"},
      {R"({"process": {"capabilities": [1]}})", "process.capabilities[0]"},
      {R"({"process": {"rlimits": [1]}})", "process.rlimits[0]"},
      {R"({"process": {"selinuxLabel": 1}})", "process.selinuxLabel"},
      {R"({"mounts": {}})", "mounts"},
      {R"({"mounts": [{}]})", "mounts[0]"},
      {R"({"mounts": [{"destination": "/x", "options": "ro"}]})", "mounts[0].options"},
      {R"({"mounts": [{"destination": "/x", "options": [null]}]})", "mounts[0].options[0]"},
      {R"({"hooks": []})", "hooks"},
      {R"({"hooks": {"prestart": {}}})", "hooks.prestart"},
      {R"({"linux": 1})", "linux"},
      {R"({"linux": {"cgroupsPath": 1}})", "linux.cgroupsPath"},
      {R"({"linux": {"namespaces": ["pid"]}})", "linux.namespaces[0]"},
      {R"({"linux": {"resources": []}})", "linux.resources"},
      {R"({"linux": {"resources": {"devices": [{"allow": 1}]}}})", "linux.resources.devices[0].allow"},
      {R"({"linux": {"seccomp": {"defaultAction": 1}}})", "linux.seccomp.defaultAction"},
      {R"({"linux": {"seccomp": {"syscalls": [{"names": "x"}]}}})", "linux.seccomp.syscalls[0].names"},
      {R"({"linux": {"maskedPaths": "x"}})", "linux.maskedPaths"},
  };
  for (const auto& [text, place] : cases) {
    const auto document = base::parse_json(text, "c");
    const auto error = error_of([&] { check_shape(document, "exports/config.json"); });
    EXPECT_EQ(error.kind(), base::ErrorKind::verification);
    EXPECT_THAT(error.message(), HasSubstr("exports/config.json")) << text;
    EXPECT_THAT(error.message(), HasSubstr(place)) << text;
  }
}

TEST(ConfigCheck, RequiresAReadOnlyRoot) {
  for (const char* patch : {R"({"root": {"readonly": false}})", R"({"root": {"readonly": null}})"}) {
    const auto error = error_of([&] { check_config(patched(patch), "exports/config.json", false); });
    EXPECT_EQ(error.kind(), base::ErrorKind::verification);
    EXPECT_THAT(error.message(), HasSubstr("the root file system is writable"));
    EXPECT_THAT(error.hint(), HasSubstr("set root.readonly to true in exports/config.json"));
  }
  EXPECT_THROW(check_config(patched(R"({"root": {"readonly": false}})"), "c", true), base::Error);
  EXPECT_NO_THROW(check_config(patched(R"({"root": {"readonly": false}})"), "c", false, true));
  EXPECT_THROW(check_config(patched(R"({"root": null})"), "c", false), base::Error);
}

TEST(ConfigCheck, RequiresTheRootOfTheImage) {
  for (const char* path : {"/", "/etc", "../other/rootfs", "rootfs/..", "rootfs/", ""}) {
    base::Json document = patched("{}");
    document["root"]["path"] = path;
    EXPECT_THAT(error_of([&] { check_config(document, "c", false); }).message(), HasSubstr("root.path is"));
    EXPECT_NO_THROW(check_config(document, "c", true));
  }
}

TEST(ConfigCheck, RequiresACommandAndAWorkingDirectory) {
  EXPECT_THAT(error_of([] { check_config(patched(R"({"process": {"args": []}})"), "c", false); }).message(),
              HasSubstr("no command"));
  EXPECT_THAT(error_of([] { check_config(patched(R"({"process": null})"), "c", false); }).message(),
              HasSubstr("process"));
  EXPECT_THAT(error_of([] { check_config(patched(R"({"process": {"cwd": "x"}})"), "c", false); }).message(),
              HasSubstr("not an absolute path"));
}

TEST(ServiceRefusal, AServiceHasNoTerminalUnlessItsUnitGivesItOne) {
  const auto document = base::parse_json(R"({"process": {"terminal": true}})", "config.json");
  const auto refusal = service_refusal(document, "exports/config.json", "[Service]\nExecStart=x\n");
  ASSERT_TRUE(refusal);
  EXPECT_EQ(refusal->kind(), base::ErrorKind::verification);
  EXPECT_EQ(refusal->message(), "exports/config.json: the process requires a terminal, which a service does not have");
  EXPECT_FALSE(service_refusal(document, "f", "[Service]\nStandardInput=tty-force\n"));
  EXPECT_FALSE(service_refusal(base::parse_json(R"({"process": {}})", "f"), "f", ""));
}

}  // namespace
}  // namespace berth::render
