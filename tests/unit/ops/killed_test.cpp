// SPDX-License-Identifier: LGPL-2.1-or-later
// SIGKILL between the steps of a rollback and of an uninstall, and the recovery by the next command. (update_test.cpp
// and install_test.cpp test an update and an install.)
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "host/state/deployment.hpp"
#include "host/state/transaction_journal.hpp"
#include "ops/change/recover.hpp"
#include "ops/containers/rollback.hpp"
#include "ops/containers/uninstall.hpp"
#include "ops/containers/update.hpp"
#include "ops/images/pull.hpp"
#include "ops/killed_work.hpp"
#include "ops/machine.hpp"
#include "ops/tree.hpp"

namespace berth::ops {
namespace {

using test::completed;
using test::deployments;
using test::killed;
using test::Machine;
using test::run_until;
using test::tree_text;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
namespace fs = std::filesystem;

class KilledTest : public ::testing::Test {
 protected:
  KilledTest() : context(machine.context()) { context.config.settle_seconds = 0; }

  /// A running container with a deployment in each slot; slot 1 is live.
  void install_and_update() {
    InstallRequest request;
    request.image = machine.image("web", test::full_image());
    request.name = "web";
    request.start = true;
    install(context, request);
    fs::remove_all(machine.directory / "web");
    auto spec = test::full_image();
    spec.files.push_back({"exports/hostfs/etc/web/more/added", "added\n", 0600, ""});
    pull(context, {machine.image("web", spec), "", ""});
    UpdateRequest update_request;
    update_request.name = "web";
    update(context, update_request);
    machine.systemd.calls.clear();
    machine.reporter.warnings.clear();
  }

  [[nodiscard]] std::string tree() const { return tree_text(machine.on_disk("")); }

  Machine machine;
  Context context;
};

TEST_F(KilledTest, ARollbackIsReverted) {
  install_and_update();
  const auto before = tree();
  for (std::size_t kill_at = 0;; ++kill_at) {
    const int ended = run_until(kill_at, [this](const StepHook& hook) { rollback(context, {"web", {}}, hook); });
    if (ended == completed) {
      EXPECT_GE(kill_at, 11U);
      EXPECT_EQ(host::find_deployment(machine.layout, "web")->slot, 0);
      return;
    }
    ASSERT_EQ(ended, killed) << kill_at;
    recover_pending(context);
    ASSERT_EQ(tree(), before) << "killed before step " << kill_at;
    ASSERT_THAT(machine.reporter.warnings, IsEmpty());
    ASSERT_TRUE(machine.systemd.active.contains("web.service"));
  }
}

/// systemd starts the units that are enabled when the boot begins, not those that are enabled later.
TEST_F(KilledTest, TheServiceIsEnabledAtEveryMomentOfAChangeOfItsLinks) {
  InstallRequest request;
  request.image = machine.image("web", test::full_image());
  request.name = "web";
  install(context, request);
  fs::remove_all(machine.directory / "web");
  auto spec = test::full_image();
  auto& unit = spec.files.at(4).content;
  unit.replace(unit.find("multi-user"), std::string("multi-user").size(), "graphical");
  pull(context, {machine.image("web", spec), "", ""});
  const std::string units = "etc/systemd/system/";
  const auto is_enabled = [&] {
    return machine.exists(units + "multi-user.target.wants/web.service") ||
           machine.exists(units + "graphical.target.wants/web.service");
  };
  UpdateRequest wanted;
  wanted.name = "web";
  for (std::size_t kill_at = 0;; ++kill_at) {
    const int ended = run_until(kill_at, [&](const StepHook& hook) { update(context, wanted, hook); });
    ASSERT_TRUE(is_enabled()) << "killed before step " << kill_at;
    if (ended == completed) {
      EXPECT_GE(kill_at, 11U);
      break;
    }
    ASSERT_EQ(ended, killed);
    machine.systemd.calls.clear();
    recover_pending(context);
    ASSERT_TRUE(machine.exists(units + "multi-user.target.wants/web.service"));
    ASSERT_FALSE(machine.exists(units + "graphical.target.wants"));
    ASSERT_THAT(machine.systemd.calls, Not(::testing::Contains("disable web.service")));
  }
  EXPECT_FALSE(machine.exists(units + "multi-user.target.wants/web.service"));
}

TEST_F(KilledTest, AnUninstallIsCompleted) {
  install_and_update();
  const fs::path whole = machine.on_disk("");
  const fs::path copy = machine.directory / "copy";
  const auto options = fs::copy_options::recursive | fs::copy_options::copy_symlinks;
  fs::copy(whole, copy, options);
  for (std::size_t kill_at = 0;; ++kill_at) {
    const int ended = run_until(kill_at, [this](const StepHook& hook) { uninstall(context, "web", hook); });
    if (ended == completed) {
      EXPECT_GE(kill_at, 8U);
      return;
    }
    ASSERT_EQ(ended, killed) << kill_at;
    recover_pending(context);
    ASSERT_FALSE(host::read_journal(machine.layout, "web"));
    for (const auto* const path : {"/web", "/web.0", "/web.1"}) {
      ASSERT_FALSE(machine.exists(deployments + std::string(path))) << path << " killed before step " << kill_at;
    }
    for (const auto* const path : {"etc/systemd/system/web.service", "etc/tmpfiles.d/web.conf", "etc/web",
                                   "usr/local/bin/webctl", "var/lib/web-data"}) {
      ASSERT_FALSE(machine.exists(path)) << path << " killed before step " << kill_at;
    }
    ASSERT_THAT(tree_text(machine.on_disk("etc")), Not(HasSubstr(".berth-")));
    fs::remove_all(whole);
    fs::copy(copy, whole, options);
  }
}

}  // namespace
}  // namespace berth::ops
