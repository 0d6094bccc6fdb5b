// SPDX-License-Identifier: LGPL-2.1-or-later
#include "ops/change/removal.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "base/json.hpp"
#include "base/temp_directory.hpp"
#include "host/state/transaction_journal.hpp"
#include "ops/containers/uninstall.hpp"
#include "ops/web_test.hpp"

namespace berth::ops {
namespace {

using base::Error;
using base::ErrorKind;
using base::test::error_of;
using test::deployments;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
namespace fs = std::filesystem;

class Removal : public test::WebTest {
 protected:
  /// The record of an uninstall of the container, which is reverted.
  UninstallRecord record() {
    base::Json json;
    error_of([&] {
      uninstall(context, "web", [&](std::size_t) {
        json = host::read_journal(machine.layout, "web").value();
        throw Error(ErrorKind::failed, "injected");
      });
    });
    machine.systemd.calls.clear();
    return parse_uninstall_record(json).value();
  }

  void expect_removed() const {
    for (const auto* const path :
         {"etc/systemd/system/web.service", "etc/tmpfiles.d/web.conf", "usr/local/bin/webctl"}) {
      EXPECT_FALSE(machine.exists(path)) << path;
    }
    for (const auto* const path : {"/web", "/web.0"}) {
      EXPECT_FALSE(machine.exists(deployments + std::string(path))) << path;
    }
    EXPECT_FALSE(host::read_journal(machine.layout, "web"));
  }
};

TEST_F(Removal, RemovesAllThatTheRecordNames) {
  install_web();
  const auto outcome = remove_container(context, record(), {});
  EXPECT_THAT(outcome.kept_files, IsEmpty());
  EXPECT_THAT(outcome.saved_texts, IsEmpty());
  expect_removed();
  EXPECT_FALSE(machine.exists("etc/web"));
  EXPECT_FALSE(machine.systemd.active.contains("web.service"));
}

TEST_F(Removal, KeepsEditedHostFiles) {
  install_web();
  const auto uninstall_record = record();
  machine.write("etc/web/web.conf", "mine\n");
  EXPECT_THAT(remove_container(context, uninstall_record, {}).kept_files, ElementsAre("/etc/web/web.conf"));
  expect_removed();
  EXPECT_EQ(machine.read("etc/web/web.conf"), "mine\n");
}

TEST_F(Removal, AFailureAtAnyReversibleStepRestoresTheContainer) {
  install_web();
  const auto uninstall_record = record();
  const auto before = tree();
  std::size_t restored = 0;
  for (std::size_t fail_at = 0;; ++fail_at, ++restored) {
    const auto fail = [fail_at](std::size_t index) {
      if (index == fail_at) {
        throw Error(ErrorKind::failed, "injected");
      }
    };
    try {
      remove_container(context, uninstall_record, fail);
      break;
    } catch (const Error& error) {
      ASSERT_EQ(error.message(), "injected");
    }
    ASSERT_EQ(tree(), before) << "step " << fail_at;
    ASSERT_TRUE(machine.systemd.active.contains("web.service")) << "step " << fail_at;
  }
  EXPECT_GE(restored, 5U);
  expect_removed();
}

TEST_F(Removal, AnUninstallIsCompletedFromItsRecordAlone) {
  install_web();
  const auto uninstall_record = record();
  host::write_journal(machine.layout, "web", to_json(uninstall_record));
  fs::remove(machine.on_disk(std::string(deployments) + "/web.0/info"));
  fs::remove(machine.on_disk("etc/systemd/system/web.service"));
  complete_uninstall(context, uninstall_record);
  expect_removed();
  EXPECT_FALSE(machine.exists("etc/web"));
}

TEST_F(Removal, ACommittedUninstallIsFinished) {
  install_web();
  auto uninstall_record = record();
  remove_container(context, uninstall_record, {});
  const auto after = tree();
  uninstall_record.committed = true;
  host::write_journal(machine.layout, "web", to_json(uninstall_record));
  complete_uninstall(context, uninstall_record);
  EXPECT_EQ(tree(), after);
}

}  // namespace
}  // namespace berth::ops
