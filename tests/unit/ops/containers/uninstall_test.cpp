// SPDX-License-Identifier: LGPL-2.1-or-later
#include "ops/containers/uninstall.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/temp_directory.hpp"
#include "host/state/transaction_journal.hpp"
#include "ops/change/recover.hpp"
#include "ops/containers/install.hpp"
#include "ops/images/pull.hpp"
#include "ops/machine.hpp"
#include "ops/tree.hpp"

namespace berth::ops {
namespace {

using base::ErrorKind;
using base::test::error_of;
using test::full_image;
using test::Machine;
using test::tree_text;
using ::testing::HasSubstr;

void install_web(Machine& machine, Context& context) {
  InstallRequest request;
  request.image = machine.image("web", full_image());
  request.name = "web";
  request.start = true;
  install(context, request);
}

TEST(Uninstall, LeavesNothingBehind) {
  Machine machine;
  auto context = machine.context();
  pull(context, {machine.image("web", full_image()), "", ""});
  const auto before = tree_text(machine.on_disk(""));
  install_web(machine, context);
  machine.systemd.calls.clear();
  const auto outcome = uninstall(context, "web");
  EXPECT_TRUE(outcome.kept_files.empty());
  EXPECT_EQ(tree_text(machine.on_disk("")), before);
  EXPECT_THAT(machine.systemd.calls,
              ::testing::ElementsAre("stop web.service", "disable web.service", "reload", "reset_failed web.service",
                                     "remove_tmpfiles /var/lib/containers/berth/web.0/tmpfiles-web.conf"));
}

TEST(Uninstall, KeepsAndReportsEditedFiles) {
  Machine machine;
  auto context = machine.context();
  install_web(machine, context);
  machine.write("etc/web/web.conf", "edited\n");
  const auto outcome = uninstall(context, "web");
  EXPECT_THAT(outcome.kept_files, ::testing::ElementsAre("/etc/web/web.conf"));
  EXPECT_EQ(machine.read("etc/web/web.conf"), "edited\n");
  EXPECT_FALSE(machine.exists("usr/local/bin/webctl"));
}

TEST(Uninstall, ReportsDataThatIsKept) {
  Machine machine;
  auto context = machine.context();
  install_web(machine, context);
  machine.write("var/lib/web/db/rows", "1\n");
  machine.write("var/lib/web-data/one", "1\n");
  machine.write("etc/web/mine", "mine\n");
  EXPECT_THAT(uninstall(context, "web").remarks,
              ::testing::ElementsAre("/etc/web is kept, because it contains files that are not of the image",
                                     "/var/lib/web is kept, because it contains data of the container",
                                     "/var/lib/web-data is kept, because it contains data of the container"));
  EXPECT_EQ(machine.read("var/lib/web/db/rows"), "1\n");
}

/// The directory of all volumes is not reported.
TEST(Uninstall, ReportsVolumesByTheDirectoryOfTheContainer) {
  Machine machine;
  auto context = machine.context();
  install_web(machine, context);
  machine.write(
      "var/lib/containers/berth/web.0/tmpfiles-web.conf",
      "d /var/lib/berth 0700 0 0 - -\nd /var/lib/berth/web 0700 0 0 - -\nd /var/lib/berth/web/data 0700 0 0 - -\n");
  machine.write("var/lib/berth/web/data/rows", "1\n");
  machine.write("var/lib/berth/other/data/rows", "1\n");
  EXPECT_THAT(uninstall(context, "web").remarks,
              ::testing::ElementsAre("/var/lib/berth/web is kept, because it contains data of the container"));
}

TEST(Uninstall, AFailureAtAnyStepLeavesTheContainerInstalledAndRunning) {
  Machine machine;
  auto context = machine.context();
  install_web(machine, context);
  const auto before = tree_text(machine.on_disk(""));
  std::size_t steps = 0;
  for (std::size_t fail_at = 0;; ++fail_at) {
    bool failed = false;
    try {
      uninstall(context, "web", [&](std::size_t index) {
        steps = std::max(steps, index);
        if (index == fail_at) {
          throw base::Error(ErrorKind::failed, "injected");
        }
      });
    } catch (const base::Error&) {
      failed = true;
    }
    if (!failed) {
      break;
    }
    ASSERT_EQ(tree_text(machine.on_disk("")), before) << "after a failure at step " << fail_at;
    ASSERT_TRUE(machine.systemd.active.contains("web.service"));
    ASSERT_EQ(machine.systemd.state("web.service").unit_file_state, "enabled");
  }
  EXPECT_GE(steps, 8U);
}

TEST(Uninstall, AFailureOfSystemdLeavesTheContainerInstalled) {
  Machine machine;
  auto context = machine.context();
  install_web(machine, context);
  const auto before = tree_text(machine.on_disk(""));
  for (const std::string call : {"stop", "disable"}) {
    machine.systemd.fail_on = call;
    EXPECT_EQ(error_of([&] { uninstall(context, "web"); }).message(), "systemd refused") << call;
    machine.systemd.fail_on.clear();
    ASSERT_EQ(tree_text(machine.on_disk("")), before) << call;
  }
}

/// The state of systemd is not known then. The next command completes the uninstall.
TEST(Uninstall, AnUninstallThatCannotBeRevertedIsCompleted) {
  Machine machine;
  auto context = machine.context();
  pull(context, {machine.image("web", full_image()), "", ""});
  const auto before = tree_text(machine.on_disk(""));
  install_web(machine, context);
  machine.systemd.fail_on = "reload";
  EXPECT_THAT(error_of([&] { uninstall(context, "web"); }).hint(), HasSubstr("berth recover"));
  EXPECT_TRUE(host::read_journal(machine.layout, "web"));
  EXPECT_EQ(error_of([&] { recover_all(context); }).message(), "systemd refused");
  EXPECT_TRUE(host::read_journal(machine.layout, "web"));
  machine.systemd.fail_on.clear();
  recover_all(context);
  EXPECT_EQ(tree_text(machine.on_disk("")), before);
}

TEST(Uninstall, AContainerWhoseServiceCannotBeStoppedStaysInstalled) {
  Machine machine;
  auto context = machine.context();
  install_web(machine, context);
  machine.systemd.stop_results["web.service"] = {false, "timeout", "it did not stop in time"};
  const auto error = error_of([&] { uninstall(context, "web"); });
  EXPECT_THAT(error.message(), HasSubstr("it did not stop in time"));
  EXPECT_TRUE(machine.exists("etc/systemd/system/web.service"));
}

/// As after a kill: the record exists, and the steps up to i are done.
TEST(Uninstall, TheNextCommandCompletesAnInterruptedUninstall) {
  struct Killed {};
  for (std::size_t kill_at = 0; kill_at < 30; ++kill_at) {
    Machine machine;
    auto context = machine.context();
    pull(context, {machine.image("web", full_image()), "", ""});
    const auto before = tree_text(machine.on_disk(""));
    install_web(machine, context);
    // A copy of the machine at the moment of the kill, before the undo of this process runs.
    bool reached = false;
    try {
      uninstall(context, "web", [&](std::size_t index) {
        if (index == kill_at) {
          reached = true;
          std::filesystem::copy(
              machine.on_disk(""), machine.directory / "copy",
              std::filesystem::copy_options::recursive | std::filesystem::copy_options::copy_symlinks);
          throw Killed();
        }
      });
    } catch (const Killed&) {
    }
    if (!reached) {
      EXPECT_GT(kill_at, 8U);
      return;
    }
    std::filesystem::remove_all(machine.on_disk(""));
    std::filesystem::rename(machine.directory / "copy", machine.on_disk(""));
    uninstall(context, "web");
    const auto repository = "var/lib/containers/berth/.storage";
    const auto names = [&](const std::string& text) {
      std::string result;
      std::istringstream lines(text);
      for (std::string line; std::getline(lines, line);) {
        result += line.substr(0, line.find(' ')) + "\n";
      }
      return result;
    };
    std::filesystem::remove_all(machine.on_disk(repository));
    std::string expected = names(before);
    std::string without_repository;
    std::istringstream lines(expected);
    for (std::string line; std::getline(lines, line);) {
      if (!line.starts_with(repository)) {
        without_repository += line + "\n";
      }
    }
    ASSERT_EQ(names(tree_text(machine.on_disk(""))), without_repository) << "killed before step " << kill_at;
  }
}

TEST(Uninstall, UnknownNameIsNotFound) {
  Machine machine;
  auto context = machine.context();
  const auto error = error_of([&] { uninstall(context, "nothing"); });
  EXPECT_EQ(error.kind(), ErrorKind::not_found);
  EXPECT_THAT(error.message(), HasSubstr("nothing"));
}

TEST(Uninstall, ADamagedInfoDoesNotPreventTheRemoval) {
  Machine machine;
  auto context = machine.context();
  install_web(machine, context);
  machine.write("var/lib/containers/berth/web.0/info", "{ not json");
  uninstall(context, "web");
  EXPECT_FALSE(machine.exists("etc/systemd/system/web.service"));
  EXPECT_FALSE(machine.exists("var/lib/containers/berth/web"));
  EXPECT_TRUE(machine.exists("usr/local/bin/webctl"));  // its owner is not known any more
}

TEST(Uninstall, AContainerNamedLikeASlotIsKept) {
  Machine machine;
  auto context = machine.context();
  InstallRequest request;
  request.image = machine.image(
      "plain", test::ImageSpec{{{"bin/", "", 0755, ""}, {"bin/x", "x", 0755, ""}}, R"({"Cmd":["/bin/x"]})"});
  request.name = "web.1";
  install(context, request);
  machine.make_directory("var/lib/containers/berth/web.0");  // left by `atomic`
  uninstall(context, "web");
  EXPECT_FALSE(machine.exists("var/lib/containers/berth/web.0"));
  EXPECT_TRUE(machine.exists("var/lib/containers/berth/web.1/rootfs/bin/x"));
}

}  // namespace
}  // namespace berth::ops
