// SPDX-License-Identifier: LGPL-2.1-or-later
#include "ops/change/damaged_record.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <utility>
#include <vector>

#include "base/json.hpp"
#include "base/temp_directory.hpp"
#include "host/files/host_file.hpp"
#include "host/state/deployment.hpp"
#include "host/state/transaction_journal.hpp"
#include "ops/change/recover.hpp"
#include "ops/containers/install.hpp"
#include "ops/containers/rollback.hpp"
#include "ops/containers/uninstall.hpp"
#include "ops/containers/update.hpp"
#include "ops/images/pull.hpp"
#include "ops/killed_work.hpp"
#include "ops/tree.hpp"
#include "ops/web_test.hpp"

namespace berth::ops {
namespace {

using base::ErrorKind;
using base::test::error_of;
using test::deployments;
using test::newer_image;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::Not;

class DamagedRecord : public test::WebTest {};

TEST_F(DamagedRecord, OfAContainerWithoutADeploymentIsRemoved) {
  install_web();
  uninstall(context, "web");
  const auto before = tree();
  machine.write(std::string(deployments) + "/.transactions/web", "{");
  settle_damaged_record(context, "web");
  EXPECT_EQ(tree(), before);
}

TEST_F(DamagedRecord, IsKeptWhenNoDeploymentIsLive) {
  install_web();
  machine.write(std::string(deployments) + "/.transactions/web", "{");
  std::filesystem::remove(machine.on_disk(std::string(deployments) + "/web"));
  const auto before = tree();
  const auto error = error_of([&] { settle_damaged_record(context, "web"); });
  EXPECT_EQ(error.kind(), ErrorKind::verification);
  EXPECT_THAT(error.message(), HasSubstr("no deployment of it is live"));
  EXPECT_THAT(error.hint(), HasSubstr("berth uninstall web"));
  EXPECT_EQ(tree(), before);
}

TEST_F(DamagedRecord, LocksOnlyItsOwnContainer) {
  install_web();
  host::write_journal(machine.layout, "other", {{"operation", "update"}});
  EXPECT_FALSE(update(context, web()).changed);
  EXPECT_THAT(machine.reporter.warnings, Contains(HasSubstr("recovering other")));
  host::write_journal(machine.layout, "web", {{"operation", "update"}});
  const auto error = error_of([&] { update(context, web()); });
  EXPECT_EQ(error.kind(), ErrorKind::verification);
  EXPECT_THAT(error.hint(), HasSubstr("berth recover"));
  recover_all(context);
  EXPECT_FALSE(update(context, web()).changed);
  EXPECT_THAT(tree(), Not(HasSubstr(".transactions")));
}

TEST_F(DamagedRecord, RemovesNoFiles) {
  install_web();
  store(newer_image());
  base::Json record;
  update(context, web(), [&](std::size_t) { record = host::read_journal(machine.layout, "web").value(); });
  const auto after = tree();
  const std::vector<std::pair<base::Json::json_pointer, base::Json>> changes = {
      {base::Json::json_pointer("/after/slot"), 0},
      {base::Json::json_pointer("/before"), nullptr},
      {base::Json::json_pointer("/operation"), "install"},
      {base::Json::json_pointer("/name"), "wec"},
      {base::Json::json_pointer("/after/files/0/path"), "/etc/../web"},
      {base::Json::json_pointer("/savedUnit"), "/etc/passwd"}};
  for (const auto& [member, value] : changes) {
    auto changed = record;
    changed[member] = value;
    host::write_journal(machine.layout, "web", changed);
    EXPECT_EQ(error_of([&] { lock_container(context, "web"); }).kind(), ErrorKind::verification) << member;
    recover_all(context);
    ASSERT_EQ(tree(), after) << member;
  }
}

TEST_F(DamagedRecord, OfAnUninstallRemovesNoFiles) {
  install_web();
  base::Json record;
  error_of([&] {
    uninstall(context, "web", [&](std::size_t) {
      record = host::read_journal(machine.layout, "web").value();
      throw base::Error(ErrorKind::failed, "injected");
    });
  });
  record["pidFile"] = "/etc/web/web.conf";
  host::write_journal(machine.layout, "web", record);
  EXPECT_EQ(error_of([&] { lock_container(context, "web"); }).kind(), ErrorKind::verification);
  EXPECT_TRUE(machine.exists("etc/web/web.conf"));
}

/// Without the secret, moved files are found by content, and a file of another change may have the same content.
TEST_F(DamagedRecord, DoesNotTakeFilesOfAnotherChange) {
  install_web();
  const std::string directory = "usr/local/bin/";
  const auto waiting = directory + host::hidden_name("secret", "/usr/local/bin/zebractl");
  std::filesystem::rename(machine.on_disk(directory + "webctl"), machine.on_disk(waiting));
  host::write_journal(machine.layout, "zebra",
                      {{"secret", "secret"}, {"after", {{"files", {{{"path", "/usr/local/bin/zebractl"}}}}}}});
  machine.write(std::string(deployments) + "/.transactions/web", "{");
  settle_damaged_record(context, "web");
  EXPECT_TRUE(machine.exists(waiting));
  EXPECT_FALSE(machine.exists(directory + "webctl"));
  EXPECT_THAT(machine.reporter.warnings, Contains(HasSubstr("/usr/local/bin/webctl is missing")));

  machine.write(std::string(deployments) + "/.transactions/web", "{");
  machine.write(std::string(deployments) + "/.transactions/zebra", "{");
  settle_damaged_record(context, "web");
  EXPECT_TRUE(machine.exists(waiting));
  EXPECT_THAT(machine.reporter.warnings, Contains(HasSubstr("may belong to zebra")));

  host::remove_journal(machine.layout, "zebra");
  machine.write(std::string(deployments) + "/.transactions/web", "{");
  settle_damaged_record(context, "web");
  EXPECT_FALSE(machine.exists(waiting));
  EXPECT_EQ(machine.read(directory + "webctl"), "control\n");
}

TEST_F(DamagedRecord, TheFilesDetermineTheRecoveryAtAnyStep) {
  install_web();
  update(context, web({"PORT=1"}));
  store(newer_image());
  std::filesystem::copy(machine.on_disk(""), machine.directory / "copy",
                        std::filesystem::copy_options::recursive | std::filesystem::copy_options::copy_symlinks);
  for (std::size_t kill_at = 0;; ++kill_at) {
    const int ended = test::run_until(kill_at, [this](const StepHook& hook) { update(context, web(), hook); });
    if (ended == test::completed) {
      EXPECT_GE(kill_at, 14U);
      return;
    }
    ASSERT_EQ(ended, test::killed);
    machine.write(std::string(deployments) + "/.transactions/web", "{");
    recover_all(context);
    ASSERT_FALSE(is_littered()) << kill_at << tree();
    if (live().slot == 1) {
      ASSERT_THAT(machine.read("etc/systemd/system/web.service"), HasSubstr("web.1")) << kill_at;
      ASSERT_TRUE(machine.exists("etc/web/current")) << kill_at;
      ASSERT_FALSE(machine.exists("etc/web/more/added")) << kill_at;
    } else {
      ASSERT_THAT(machine.read("etc/systemd/system/web.service"), HasSubstr("Newer")) << kill_at;
      ASSERT_TRUE(machine.exists("etc/web/more/added")) << kill_at;
      rollback(context, {"web", {}});
    }
    ASSERT_EQ(machine.read("etc/web/web.conf"), "greeting=hello\n") << kill_at;
    std::filesystem::remove_all(machine.on_disk(""));
    std::filesystem::copy(machine.directory / "copy", machine.on_disk(""),
                          std::filesystem::copy_options::recursive | std::filesystem::copy_options::copy_symlinks);
  }
}

}  // namespace
}  // namespace berth::ops
