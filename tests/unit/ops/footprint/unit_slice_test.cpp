// SPDX-License-Identifier: LGPL-2.1-or-later
#include "ops/footprint/unit_slice.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/temp_directory.hpp"
#include "ops/containers/rollback.hpp"
#include "ops/containers/service.hpp"
#include "ops/machine.hpp"
#include "ops/web_test.hpp"

namespace berth::ops {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

/// A deployment of `web` whose unit is in `slice`.
class UnitSlice : public ::testing::Test {
 protected:
  explicit UnitSlice(std::optional<host::UserDirectories> user = {}) : machine(std::move(user)) {
    machine.make_directory("web.0");
    machine.systemd.on_state = [this](host::UnitState& state) { state.slice = slice; };
  }

  static std::string config_of(const std::string& path) {
    return "{\"a\": 1,\n \"linux\": {\"x\": {\"cgroupsPath\": \"a\"}, \"cgroupsPath\": \"" + path + "\"}}";
  }

  /// @return the text of config.json after the deployment has followed its slice
  std::string followed(const std::string& text) {
    machine.write("web.0/config.json", text);
    follow_slice(context, "web", machine.on_disk("web.0"));
    return machine.read("web.0/config.json");
  }

  test::Machine machine;
  Context context = machine.context();
  std::string slice = "tenant-a.slice";
};

TEST_F(UnitSlice, ThePathIsReplacedAndNothingElse) {
  const std::string tenant = "/tenant.slice/tenant-a.slice/web.service/payload";
  for (const auto* path : {"/system.slice/web.service/payload", "/web.service/payload",
                           "/other.slice/other-x.slice/other-x-y.slice/web.service/payload"}) {
    machine.reporter.steps.clear();
    EXPECT_EQ(followed(config_of(path)), config_of(tenant)) << path;
    EXPECT_THAT(machine.reporter.steps, ElementsAre("web.service is in tenant-a.slice; its payload will start there, "
                                                    "too"));
  }
  slice = "-.slice";
  EXPECT_EQ(followed(config_of(tenant)), config_of("/web.service/payload"));
  EXPECT_THAT(machine.reporter.warnings, IsEmpty());
}

TEST_F(UnitSlice, TheModeOfTheFileStays) {
  machine.write("web.0/config.json", config_of("/web.service/payload"), 0640);
  follow_slice(context, "web", machine.on_disk("web.0"));
  EXPECT_THAT(machine.read("web.0/config.json"), HasSubstr("tenant-a.slice"));
  struct stat status {};
  ASSERT_EQ(::stat(machine.on_disk("web.0/config.json").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 07777U, 0640U);
}

/// runc finds the unit itself by a relative path.
TEST_F(UnitSlice, RelativePathsAndThoseOfTheImageAreKept) {
  for (const auto* own :
       {"web.service/payload", "", "/machine/web", "/system.slice/other.service/payload",
        "/a/b.slice/web.service/payload", "/a.slice/b.slice/web.service/payload", "/system.slice/web.service/payload/x",
        "/system.slicer/web.service/payload", "system.slice/web.service/payload", "web.service"}) {
    EXPECT_EQ(followed(config_of(own)), config_of(own));
  }
  for (const auto* text :
       {"{}", "[]", R"({"linux": null})", R"({"linux": []})", R"({"linux": {}})", R"({"linux": {"cgroupsPath": 1}})",
        R"({"cgroupsPath": "/system.slice/web.service/payload"})"}) {
    EXPECT_EQ(followed(text), text);
  }
  EXPECT_THAT(machine.reporter.warnings, IsEmpty());
  EXPECT_THAT(machine.reporter.steps, IsEmpty());
}

TEST_F(UnitSlice, AFileThatNeedsNoChangeIsNotWritten) {
  slice = "system.slice";
  machine.write("web.0/config.json", config_of("/system.slice/web.service/payload"));
  const auto inode = [this] {
    struct stat status {};
    EXPECT_EQ(::stat(machine.on_disk("web.0/config.json").c_str(), &status), 0);
    return status.st_ino;
  };
  const auto before = inode();
  follow_slice(context, "web", machine.on_disk("web.0"));
  EXPECT_EQ(inode(), before);
  EXPECT_THAT(machine.reporter.steps, IsEmpty());
}

TEST_F(UnitSlice, AUnitThatSystemdHasNotReadIsLeftAlone) {
  for (const auto* none : {"", "tenant", "tenant.service"}) {
    slice = none;
    EXPECT_EQ(followed(config_of("/system.slice/web.service/payload")), config_of("/system.slice/web.service/payload"));
  }
}

TEST_F(UnitSlice, AMachineThatDoesNotRunIsLeftAlone) {
  host::LayoutSettings settings;
  settings.root = machine.directory / "root";
  context.layout = host::Layout(settings);
  EXPECT_EQ(followed(config_of("/system.slice/web.service/payload")), config_of("/system.slice/web.service/payload"));
  EXPECT_THAT(machine.systemd.queries, IsEmpty());
}

TEST_F(UnitSlice, AFileThatCannotBeChangedIsReported) {
  const std::string escaped = R"({"linux": {"cgroups\u0050ath": "/system.slice/web.service/payload"}})";
  for (const auto& [text, reason] : {std::pair<std::string, std::string>("{", "not valid JSON"),
                                     {"", "not valid JSON"},
                                     {escaped, "linux.cgroupsPath of config.json cannot be changed"}}) {
    machine.reporter.warnings.clear();
    EXPECT_EQ(followed(text), text);
    EXPECT_THAT(machine.reporter.warnings,
                ElementsAre(AllOf(HasSubstr("web.service is in tenant-a.slice, but its payload"), HasSubstr(reason))));
  }
  follow_slice(context, "web", machine.on_disk("absent"));
  EXPECT_EQ(machine.reporter.warnings.size(), 2U) << "the deployment cannot be opened";
  std::filesystem::remove(machine.on_disk("web.0/config.json"));
  follow_slice(context, "web", machine.on_disk("web.0"));
  EXPECT_EQ(machine.reporter.warnings.size(), 2U) << "an image that only brings host files has no config.json";
}

class UnitSliceOfUser : public UnitSlice {
 protected:
  UnitSliceOfUser()
      : UnitSlice(host::UserDirectories{"alice", 1000, "/home/alice", "/home/alice/.local/share", "/home/alice/.config",
                                        "/run/user/1000"}) {}
};

TEST_F(UnitSliceOfUser, ThePathIsBelowTheManagerOfTheUser) {
  const std::string manager = "/user.slice/user-1000.slice/user@1000.service";
  EXPECT_EQ(followed(config_of(manager + "/app.slice/web.service/payload")),
            config_of(manager + "/tenant.slice/tenant-a.slice/web.service/payload"));
  for (const std::string own : {"/app.slice/web.service/payload", "/user.slice/web.service/payload"}) {
    EXPECT_EQ(followed(config_of(own)), config_of(own));
  }
}

class UnitSliceOfUpdates : public test::WebTest {
 protected:
  UnitSliceOfUpdates() {
    machine.write("usr/bin/crun",
                  "#!/bin/sh\n[ \"$1\" != state ] || exit 1\necho 'crun version 1.8.1'\necho --pid-file\n", 0755);
    machine.systemd.on_state = [this](host::UnitState& state) { state.slice = slice; };
  }

  void install_with(const std::string& runtime) {
    InstallRequest request;
    request.image = machine.image("web", test::full_image());
    request.name = "web";
    request.runtime = runtime;
    install(context, request);
  }

  [[nodiscard]] std::string config(int slot = 0) const {
    return machine.read("var/lib/containers/berth/web." + std::to_string(slot) + "/config.json");
  }

  std::string slice = "system.slice";
};

TEST_F(UnitSliceOfUpdates, ThePayloadFollowsTheSliceOfItsUnit) {
  install_with("/usr/bin/crun");
  const auto before = config();
  EXPECT_THAT(before, HasSubstr("\"/system.slice/web.service/payload\""));
  slice = "tenant-a.slice";
  start(context, "web");
  EXPECT_THAT(config(), HasSubstr("\"cgroupsPath\": \"/tenant.slice/tenant-a.slice/web.service/payload\""));
  store(test::newer_image());
  update(context, web());
  EXPECT_THAT(config(1), HasSubstr("\"/tenant.slice/tenant-a.slice/web.service/payload\""));
  slice = "-.slice";
  restart(context, "web");
  EXPECT_THAT(config(1), HasSubstr("\"/web.service/payload\""));
  slice = "system.slice";
  rollback(context, {"web", {}});
  EXPECT_EQ(config(), before);
  EXPECT_THAT(machine.reporter.warnings, Not(Contains(HasSubstr("control group"))));
}

TEST_F(UnitSliceOfUpdates, ASliceSetBeforeTheInstallIsUsed) {
  slice = "tenant.slice";
  install_with("/usr/bin/crun");
  EXPECT_THAT(config(), HasSubstr("\"/tenant.slice/web.service/payload\""));
}

TEST_F(UnitSliceOfUpdates, RuncGetsARelativePath) {
  slice = "tenant.slice";
  install_with("/usr/bin/runc");
  EXPECT_THAT(config(), HasSubstr("\"cgroupsPath\": \"web.service/payload\""));
}

}  // namespace
}  // namespace berth::ops
