// SPDX-License-Identifier: LGPL-2.1-or-later
#include "ops/change/recover.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <filesystem>

#include "base/json.hpp"
#include "base/temp_directory.hpp"
#include "host/state/transaction_journal.hpp"
#include "ops/containers/uninstall.hpp"
#include "ops/killed_work.hpp"
#include "ops/web_test.hpp"

namespace berth::ops {
namespace {

using base::ErrorKind;
using base::test::error_of;
using test::deployments;
using test::killed;
using test::newer_image;
using test::run_until;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
namespace fs = std::filesystem;

class Recover : public test::WebTest {
 protected:
  /// An update that is killed after the switch has begun.
  void kill_update() {
    ASSERT_EQ(run_until(4, [this](const StepHook& hook) { update(context, web(), hook); }), killed);
    ASSERT_TRUE(has_record("web"));
    machine.reporter.warnings.clear();
  }
  [[nodiscard]] bool has_record(const std::string& name) const {
    return host::read_journal(machine.layout, name).has_value();
  }
  [[nodiscard]] host::ContainerLock lock(const std::string& name) {
    return host::ContainerLock::take(machine.layout, name, "berth update", std::chrono::seconds(0), machine.reporter,
                                     context.stop);
  }
  /// @return path inside the root of a file in the directory of deployments
  static std::string deployment(const std::string& path) { return std::string(deployments) + "/" + path; }
};

TEST_F(Recover, DoesNothingWithoutDeployments) {
  const auto before = tree();
  recover_pending(context);
  recover_all(context);
  EXPECT_EQ(tree(), before);
  EXPECT_THAT(machine.systemd.calls, IsEmpty());
}

TEST_F(Recover, RevertsAnUpdateThatWasKilled) {
  install_web();
  store(newer_image());
  const auto before = tree();
  kill_update();
  recover_pending(context);
  EXPECT_EQ(tree(), before);
  EXPECT_FALSE(has_record("web"));
  EXPECT_TRUE(machine.systemd.active.contains("web.service"));
  EXPECT_THAT(machine.reporter.warnings, IsEmpty());
}

TEST_F(Recover, FinishesAnUpdateThatWasCommitted) {
  install_web();
  store(newer_image());
  base::Json record;
  update(context, web(), [&](std::size_t) { record = host::read_journal(machine.layout, "web").value(); });
  const auto after = tree();
  record["committed"] = true;
  host::write_journal(machine.layout, "web", record);
  recover_pending(context);
  EXPECT_EQ(tree(), after);
  EXPECT_EQ(live().slot, 1);
  EXPECT_FALSE(has_record("web"));
}

TEST_F(Recover, CompletesAnUninstallThatWasKilled) {
  install_web();
  ASSERT_EQ(run_until(3, [this](const StepHook& hook) { uninstall(context, "web", hook); }), killed);
  recover_pending(context);
  EXPECT_FALSE(has_record("web"));
  for (const auto* const path : {"web", "web.0"}) {
    EXPECT_FALSE(machine.exists(deployment(path))) << path;
  }
  EXPECT_FALSE(machine.exists("etc/systemd/system/web.service"));
  EXPECT_THAT(machine.reporter.steps, Contains("completing an interrupted uninstall of web"));
}

TEST_F(Recover, LeavesAContainerAloneWhileItsLockIsHeld) {
  install_web();
  store(newer_image());
  const auto before = tree();
  kill_update();
  {
    const auto held = lock("web");
    recover_pending(context);
    EXPECT_TRUE(has_record("web"));
  }
  recover_pending(context);
  EXPECT_EQ(tree(), before);
}

TEST_F(Recover, RemovesStagingDirectoriesUnlessTheirLockIsHeld) {
  install_web();
  const auto staging = deployment(".staging-other");
  machine.make_directory(staging + "/rootfs");
  {
    const auto held = lock("other");
    recover_pending(context);
    EXPECT_TRUE(machine.exists(staging));
  }
  recover_pending(context);
  EXPECT_FALSE(machine.exists(staging));
}

TEST_F(Recover, RemovesLockFilesThatNoProcessHolds) {
  install_web();
  machine.write(deployment(".locks/other"), "4194305 berth update\n");
  recover_pending(context);
  EXPECT_FALSE(machine.exists(deployment(".locks/other")));
}

TEST_F(Recover, ARecordOfAnotherContainerIsAWarning) {
  install_web();
  host::write_journal(machine.layout, "other", {{"name", "web"}, {"operation", "update"}});
  const auto before = tree();
  recover_pending(context);
  EXPECT_EQ(tree(), before);
  EXPECT_THAT(machine.reporter.warnings, Contains(HasSubstr("recovering other")));
}

TEST_F(Recover, AFailureDoesNotStopTheRecoveryOfOtherContainers) {
  install_web();
  store(newer_image());
  kill_update();
  host::write_journal(machine.layout, "other", {{"operation", "update"}});
  recover_pending(context);
  EXPECT_FALSE(has_record("web"));
  EXPECT_TRUE(has_record("other"));
}

TEST_F(Recover, RecoverAllReportsTheFirstFailureAtTheEnd) {
  install_web();
  fs::remove(machine.on_disk("etc/systemd/system/web.service"));
  machine.systemd.fail_on = "reload";
  EXPECT_EQ(error_of([&] { recover_all(context); }).kind(), ErrorKind::failed);
  EXPECT_TRUE(machine.exists("etc/systemd/system/web.service"));
}

/// The states of units are not known then: the record stays, and the next command with a connection recovers.
TEST_F(Recover, TheNextCommandWithAConnectionToSystemdRecovers) {
  install_web();
  store(newer_image());
  const auto before = tree();
  const auto unreachable = [&](bool fails) {
    machine.systemd.on_call = [fails](const std::string& /*call*/) {
      if (fails) {
        throw base::Error(ErrorKind::failed, "lost the connection to systemd");
      }
    };
  };
  const auto error = error_of([&] { update(context, web(), [&](std::size_t index) { unreachable(index >= 3); }); });
  EXPECT_THAT(error.message(), HasSubstr("lost the connection"));
  EXPECT_THAT(error.hint(), HasSubstr("berth recover"));
  EXPECT_TRUE(has_record("web"));
  const auto still = error_of([&] { recover_all(context); });
  EXPECT_EQ(still.kind(), ErrorKind::failed);
  EXPECT_TRUE(has_record("web"));
  unreachable(false);
  recover_all(context);
  EXPECT_EQ(tree(), before);
  EXPECT_TRUE(machine.systemd.active.contains("web.service"));
}

TEST_F(Recover, TheLockOfAContainerIsTakenAfterItsRecovery) {
  install_web();
  store(newer_image());
  kill_update();
  const auto held = lock_container(context, "web");
  EXPECT_FALSE(has_record("web"));
  EXPECT_EQ(live().slot, 0);
  EXPECT_EQ(error_of([&] { lock_container(context, "web"); }).kind(), ErrorKind::conflict);
}

}  // namespace
}  // namespace berth::ops
