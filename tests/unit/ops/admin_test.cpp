// SPDX-License-Identifier: LGPL-2.1-or-later
// Changes by an administrator: masks, edited files, links, drop-ins, and a stop.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <filesystem>

#include "base/temp_directory.hpp"
#include "host/state/deployment.hpp"
#include "ops/change/recover.hpp"
#include "ops/containers/install.hpp"
#include "ops/containers/rollback.hpp"
#include "ops/containers/service.hpp"
#include "ops/containers/uninstall.hpp"
#include "ops/containers/update.hpp"
#include "ops/images/pull.hpp"
#include "ops/machine.hpp"
#include "ops/tree.hpp"

namespace berth::ops {
namespace {

using base::ErrorKind;
using base::test::error_of;
using test::full_image;
using test::ImageSpec;
using test::Machine;
using test::tree_text;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
namespace fs = std::filesystem;

constexpr const char* unit_path = "etc/systemd/system/web.service";
constexpr const char* wants = "etc/systemd/system/multi-user.target.wants/web.service";
constexpr const char* socket_path = "exports/hostfs/etc/systemd/system/web.socket";

class AdminTest : public ::testing::Test {
 protected:
  AdminTest() : context(machine.context()) { context.config.settle_seconds = 0; }

  void install_web(const ImageSpec& spec = full_image(), bool start = false) {
    InstallRequest request;
    request.image = machine.image("web", spec);
    request.name = "web";
    request.start = start;
    install(context, request);
    machine.systemd.calls.clear();
    machine.reporter.warnings.clear();
  }

  /// Stores another image under the name of the container's image.
  void store(const ImageSpec& spec) {
    fs::remove_all(machine.directory / "web");
    pull(context, {machine.image("web", spec), "", ""});
  }

  bool update_web() {
    UpdateRequest request;
    request.name = "web";
    return update(context, request).changed;
  }

  static ImageSpec newer(const std::string& name = "newer") {
    auto spec = full_image();
    spec.files.push_back({"usr/share/" + name, "x\n", 0644, ""});
    return spec;
  }

  static ImageSpec with_socket(const std::string& text) {
    auto spec = full_image();
    spec.files.push_back({socket_path, text, 0644, ""});
    return spec;
  }

  void mask() const {
    fs::remove(machine.on_disk(unit_path));
    fs::create_symlink("/dev/null", machine.on_disk(unit_path));
  }

  [[nodiscard]] bool is_masked() const {
    return fs::is_symlink(machine.on_disk(unit_path)) && fs::read_symlink(machine.on_disk(unit_path)) == "/dev/null";
  }

  Machine machine;
  Context context;
  int queries = 0;
};

TEST_F(AdminTest, AMaskSurvivesUpdateAndRollback) {
  install_web();
  mask();
  store(newer());
  EXPECT_TRUE(update_web());
  EXPECT_TRUE(is_masked());
  EXPECT_THAT(machine.reporter.warnings, Contains(HasSubstr("web.service is masked and stays masked")));
  rollback(context, {"web", {}});
  EXPECT_TRUE(is_masked());
  EXPECT_THAT(machine.systemd.calls, Not(Contains("enable web.service")));
  EXPECT_THAT(tree_text(machine.on_disk("etc")), Not(HasSubstr(".saved")));
  uninstall(context, "web");
  EXPECT_FALSE(machine.exists(unit_path) || machine.exists(wants));
}

TEST_F(AdminTest, AnEmptyUnitFileIsAMask) {
  install_web();
  machine.write(unit_path, "");
  store(newer());
  update_web();
  EXPECT_EQ(machine.read(unit_path), "");
}

TEST_F(AdminTest, MaskedTmpfilesLinesStayMasked) {
  const std::string lines = "etc/tmpfiles.d/web.conf";
  const auto is_mask = [&] {
    return fs::is_symlink(machine.on_disk(lines)) && fs::read_symlink(machine.on_disk(lines)) == "/dev/null";
  };
  install_web(full_image(), true);
  fs::remove(machine.on_disk(lines));
  fs::create_symlink("/dev/null", machine.on_disk(lines));
  store(newer());
  std::size_t steps = 0;
  UpdateRequest request;
  request.name = "web";
  EXPECT_TRUE(update(context, request, [&](std::size_t index) { steps = std::max(steps, index); }).changed);
  EXPECT_TRUE(is_mask());
  EXPECT_THAT(machine.reporter.warnings, Contains(HasSubstr("/etc/tmpfiles.d/web.conf is masked and stays masked")));
  EXPECT_THAT(machine.systemd.calls, Not(Contains(HasSubstr("tmpfiles"))));
  rollback(context, {"web", {}});
  EXPECT_TRUE(is_mask());
  for (std::size_t fail_at = 0; fail_at <= steps; ++fail_at) {
    error_of([&] {
      update(context, request, [&](std::size_t index) {
        if (index == fail_at) {
          throw base::Error(ErrorKind::failed, "injected");
        }
      });
    });
    EXPECT_TRUE(is_mask()) << fail_at;
  }
  fs::remove(machine.on_disk(lines));
  update_web();  // restores the lines even without a new image
  EXPECT_THAT(machine.read(lines), HasSubstr("web"));
  fs::remove(machine.on_disk(lines));
  machine.write(lines, "");
  uninstall(context, "web");
  EXPECT_FALSE(machine.exists(lines));
}

TEST_F(AdminTest, ARunningMaskedServiceIsNotStopped) {
  install_web(full_image(), true);
  mask();
  store(newer());
  const auto error = error_of([&] { update_web(); });
  EXPECT_EQ(error.kind(), ErrorKind::conflict);
  EXPECT_THAT(error.message(), HasSubstr("web.service runs but is masked"));
  EXPECT_THAT(machine.systemd.calls, IsEmpty());
}

/// `systemctl unmask` would remove the link, and the unit with it.
TEST_F(AdminTest, TheHintSaysHowToUnmaskAUnit) {
  install_web();
  const auto text = machine.read(unit_path);
  mask();
  for (const auto verb : {&start, &restart}) {
    const auto error = error_of([&] { verb(context, "web"); });
    EXPECT_EQ(error.message(), "web.service is masked and cannot be started");
    EXPECT_THAT(error.hint(), HasSubstr("remove /etc/systemd/system/web.service and run: berth update web"));
  }
  fs::remove(machine.on_disk(unit_path));
  EXPECT_FALSE(update_web());
  EXPECT_EQ(machine.read(unit_path), text);
  EXPECT_TRUE(machine.exists(wants));
}

TEST_F(AdminTest, AMissingUnitFileIsRestored) {
  install_web();
  const auto text = machine.read(unit_path);
  const auto lines = machine.read("etc/tmpfiles.d/web.conf");
  for (const bool by_recover : {false, true}) {
    fs::remove(machine.on_disk(unit_path));
    fs::remove(machine.on_disk("etc/tmpfiles.d/web.conf"));
    machine.systemd.calls.clear();
    if (by_recover) {
      recover_all(context);
    } else {
      EXPECT_FALSE(update_web());
    }
    EXPECT_EQ(machine.read(unit_path), text);
    EXPECT_EQ(machine.read("etc/tmpfiles.d/web.conf"), lines);
    EXPECT_THAT(machine.systemd.calls, ElementsAre("reload"));
  }
  EXPECT_THAT(machine.reporter.steps, Contains("/etc/systemd/system/web.service was missing and has been restored"));
}

TEST_F(AdminTest, AnUpdateRestoresRemovedFiles) {
  install_web(full_image(), true);
  fs::remove(machine.on_disk(unit_path));
  fs::remove(machine.on_disk("etc/web/web.conf"));
  store(newer());
  EXPECT_TRUE(update_web());
  EXPECT_THAT(machine.read(unit_path), HasSubstr("web.1"));
  EXPECT_EQ(machine.read("etc/web/web.conf"), "greeting=hello\n");
  EXPECT_TRUE(machine.systemd.active.contains("web.service"));
}

TEST_F(AdminTest, AStopDuringTheGateIsRespected) {
  install_web(full_image(), true);
  store(newer());
  machine.systemd.on_state = [this](host::UnitState& state) {
    if (!machine.systemd.calls.empty() && machine.systemd.calls.back() == "restart web.service") {
      state.active_exit = 5;
      state.main_exit = 7;
      if (state.main_pid != 0 && ++queries > 2) {
        state.active_state = "inactive";
      }
    }
  };
  UpdateRequest request;
  request.name = "web";
  request.gate.settle = std::chrono::seconds(20);
  const auto outcome = update(context, request);
  EXPECT_TRUE(outcome.changed);
  EXPECT_TRUE(outcome.stopped);
  EXPECT_EQ(host::find_deployment(machine.layout, "web")->slot, 1);
  EXPECT_EQ(machine.systemd.calls.back(), "restart web.service");
  EXPECT_THAT(machine.reporter.warnings, Contains(HasSubstr("web.service was stopped by another command")));
}

TEST_F(AdminTest, AnEditedUnitIsSaved) {
  install_web();
  machine.write(unit_path, "# mine\n");
  machine.write("etc/tmpfiles.d/web.conf", "# my lines\n");
  store(newer());
  update_web();
  EXPECT_EQ(machine.read("etc/systemd/system/web.service.saved"), "# mine\n");
  EXPECT_EQ(machine.read("etc/tmpfiles.d/web.conf.saved"), "# my lines\n");
  EXPECT_THAT(
      machine.reporter.warnings,
      Contains(HasSubstr("/etc/systemd/system/web.service was edited and is replaced; the edited text is kept as "
                         "/etc/systemd/system/web.service.saved")));
  machine.write(unit_path, "# mine too\n");
  EXPECT_THAT(uninstall(context, "web").saved_texts, ElementsAre("/etc/systemd/system/web.service.saved.1"));
  EXPECT_EQ(machine.read("etc/systemd/system/web.service.saved"), "# mine\n");
  EXPECT_EQ(machine.read("etc/systemd/system/web.service.saved.1"), "# mine too\n");
  EXPECT_FALSE(machine.exists(unit_path));
}

TEST_F(AdminTest, AnEditedUnitIsRestoredAfterAFailure) {
  install_web();
  machine.write(unit_path, "# mine\n");
  store(newer());
  machine.systemd.fail_on = "reload";
  error_of([&] { update_web(); });
  EXPECT_EQ(machine.read(unit_path), "# mine\n");
  EXPECT_FALSE(machine.exists("etc/systemd/system/web.service.saved"));
}

TEST_F(AdminTest, DropInsAreReported) {
  machine.write("etc/systemd/system/web.service.d/limits.conf", "[Service]\nMemoryMax=1G\n");
  machine.write("etc/systemd/system.control/web.service.d/50-CPUQuota.conf", "[Service]\nCPUQuota=5%\n");
  InstallRequest request;
  request.image = machine.image("web", full_image());
  request.name = "web";
  install(context, request);
  EXPECT_THAT(machine.reporter.warnings,
              Contains(HasSubstr("/etc/systemd/system/web.service.d/limits.conf exists already")));
  const std::string message = " is kept, and applies to the next container named web";
  const auto remarks = uninstall(context, "web").remarks;
  EXPECT_THAT(remarks, Contains("/etc/systemd/system/web.service.d/limits.conf" + message));
  EXPECT_THAT(remarks, Contains("/etc/systemd/system.control/web.service.d/50-CPUQuota.conf" + message));
}

/// A dangling link in TARGET.requires prevents the target from being started.
TEST_F(AdminTest, RuntimeLinksAreRemovedWithTheContainer) {
  install_web();
  const std::string directory = "run/systemd/system/";
  for (const auto* name : {"basic.target.requires/web.service", "multi-user.target.wants/web.service", "other.service",
                           "basic.target.requires/kept.service"}) {
    fs::create_directories(fs::path(machine.on_disk(directory + name)).parent_path());
    fs::create_symlink("/etc/systemd/system/" +
                           std::string(std::string_view(name).ends_with("kept.service") ? "kept" : "web") + ".service",
                       machine.on_disk(directory + name));
  }
  machine.systemd.fail_on = "reset_failed";
  error_of([&] { uninstall(context, "web"); });
  EXPECT_TRUE(fs::is_symlink(machine.on_disk(directory + "basic.target.requires/web.service")));
  machine.systemd.fail_on = "";
  uninstall(context, "web");
  EXPECT_EQ(tree_text(machine.on_disk("run/systemd/system")).find("web.service"), std::string::npos);
  EXPECT_TRUE(fs::is_symlink(machine.on_disk(directory + "basic.target.requires/kept.service")));
  EXPECT_FALSE(fs::exists(machine.on_disk(directory + "multi-user.target.wants")));
  EXPECT_TRUE(fs::is_directory(machine.on_disk(directory)));
}

/// systemd refuses queries about invalid names.
TEST_F(AdminTest, AHostFileWithAnInvalidUnitNameIsNotQueried) {
  auto spec = full_image();
  for (const auto* name : {"a b.socket", ".hidden.service", "@.timer", "a+b.service"}) {
    spec.files.push_back({std::string("exports/hostfs/etc/systemd/system/") + name, "x\n", 0644, ""});
  }
  install_web(spec);
  machine.systemd.only_unit_names = true;
  store(newer());
  EXPECT_TRUE(update_web());
  EXPECT_FALSE(machine.exists("etc/systemd/system/a b.socket"));
  rollback(context, {"web", {}});
  uninstall(context, "web");
  EXPECT_FALSE(machine.exists("etc/systemd/system/a b.socket"));
}

TEST_F(AdminTest, UnitsOfTheHostFilesAreRestartedWhenTheyChange) {
  install_web(with_socket("[Socket]\nListenStream=/run/a\n"), true);
  machine.systemd.active.insert("web.socket");
  auto spec = with_socket("[Socket]\nListenStream=/run/a\n");
  spec.files.push_back({"usr/share/newer", "x\n", 0644, ""});
  store(spec);
  update_web();
  EXPECT_THAT(machine.systemd.calls, Not(Contains("stop web.socket")));
  store(with_socket("[Socket]\nListenStream=/run/b\n"));
  machine.systemd.calls.clear();
  update_web();
  EXPECT_THAT(machine.systemd.calls,
              ElementsAre("stop web.socket", "stop web.service", "remove_tmpfiles /etc/tmpfiles.d/web.conf", "reload",
                          "create_tmpfiles /etc/tmpfiles.d/web.conf", "reset_failed web.socket", "start web.socket",
                          "reset_failed web.service", "restart web.service"));
}

TEST_F(AdminTest, UnitsOfTheHostFilesAreStoppedWhenTheyAreRemoved) {
  install_web(with_socket("[Socket]\nListenStream=/run/a\n[Install]\nWantedBy=sockets.target\n"));
  machine.systemd.active.insert("web.socket");
  machine.systemd.enable("web.socket");
  store(newer());
  std::size_t steps = 0;
  UpdateRequest request;
  request.name = "web";
  update(context, request, [&](std::size_t index) { steps = std::max(steps, index); });
  EXPECT_FALSE(machine.systemd.active.contains("web.socket"));
  EXPECT_FALSE(machine.exists("etc/systemd/system/sockets.target.wants"));
  rollback(context, {"web", {}});
  machine.systemd.active.insert("web.socket");
  machine.systemd.enable("web.socket");
  for (std::size_t fail_at = 0; fail_at <= steps; ++fail_at) {
    EXPECT_THROW(update(context, request,
                        [&](std::size_t index) {
                          if (index == fail_at) {
                            throw base::Error(ErrorKind::failed, "injected");
                          }
                        }),
                 base::Error);
    EXPECT_TRUE(machine.systemd.active.contains("web.socket")) << fail_at;
    EXPECT_TRUE(machine.exists("etc/systemd/system/sockets.target.wants/web.socket")) << fail_at;
  }
  uninstall(context, "web");
  EXPECT_FALSE(machine.systemd.active.contains("web.socket"));
  EXPECT_FALSE(machine.exists("etc/systemd/system/sockets.target.wants"));
}

}  // namespace
}  // namespace berth::ops
