// SPDX-License-Identifier: LGPL-2.1-or-later
// Full and failing disks, from any system call on, while a container is changed or a change is reverted.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cerrno>
#include <filesystem>
#include <functional>
#include <sstream>
#include <string>
#include <vector>

#include "base/fd.hpp"
#include "base/file.hpp"
#include "base/temp_directory.hpp"
#include "host/files/root_directory.hpp"
#include "host/state/deployment.hpp"
#include "host/state/transaction_journal.hpp"
#include "ops/change/recover.hpp"
#include "ops/containers/rollback.hpp"
#include "ops/containers/uninstall.hpp"
#include "ops/containers/update.hpp"
#include "ops/faulty_calls.hpp"
#include "ops/images/pull.hpp"
#include "ops/machine.hpp"
#include "ops/tree.hpp"

namespace berth::ops {
namespace {

using test::Calls;
using test::deployments;
using test::Faults;
using test::Machine;
using test::run_with_faults;
using test::tree_text;
using ::testing::HasSubstr;
using ::testing::Not;
namespace fs = std::filesystem;

/// A running container, and a newer image with other host files and another [Install] section.
class FaultTest : public ::testing::Test {
 protected:
  FaultTest() : context(machine.context()) {
    context.config.settle_seconds = 0;
    InstallRequest request;
    request.image = machine.image("web", test::full_image());
    request.name = "web";
    request.start = true;
    install(context, request);
    fs::remove_all(machine.directory / "web");
    auto spec = test::full_image();
    auto& unit = spec.files.at(4).content;
    unit.replace(unit.find("multi-user"), std::string("multi-user").size(), "graphical");
    spec.files.push_back({"exports/hostfs/etc/web/more/added", "added\n", 0600, ""});
    std::erase_if(spec.files, [](const auto& file) { return file.name == "exports/hostfs/etc/web/current"; });
    pull(context, {machine.image("web", spec), "", ""});
    old = tree();
  }

  void update_web() {
    UpdateRequest request;
    request.name = "web";
    update(context, request);
  }

  /// The tree, without locks left by a killed process, and without the info of the newer deployment with its time.
  [[nodiscard]] std::string tree() const {
    const std::string directory = deployments;
    return tree_text(machine.on_disk(""), directory + "/.locks:" + directory + "/web.1/info");
  }
  [[nodiscard]] bool is_updated() const { return host::current_slot(machine.layout, "web") == 1; }

  /// Prepares the next round. @param slot the deployment that must be live
  void go_back_to(int slot) {
    if (host::current_slot(machine.layout, "web") != slot) {
      rollback(context, {"web", {}});
    }
  }

  /// The lines that are in only one of two trees.
  static std::string difference(const std::string& expected, const std::string& found) {
    std::string result;
    const auto add = [&](const std::string& text, const std::string& other, const char* sign) {
      std::istringstream lines(text);
      for (std::string line; std::getline(lines, line);) {
        if (other.find(line + "\n") == std::string::npos) {
          result += std::string("\n") + sign + " " + line;
        }
      }
    };
    add(expected, found, "-");
    add(found, expected, "+");
    return result;
  }

  /// Checks that the container is complete, in the state before or after the change.
  void expect_whole(const std::string& before, const std::string& after, const std::string& when) {
    const auto now = tree();
    ASSERT_TRUE(now == before || now == after) << when << difference(is_updated() ? after : before, now);
    ASSERT_TRUE(machine.systemd.active.contains("web.service")) << when;
  }

  Machine machine;
  Context context;
  std::string old;
};

/// openat2(2) with RESOLVE_BENEATH or RESOLVE_IN_ROOT fails with EAGAIN while directories are renamed. A process that
/// renames them forever must not block berth.
TEST(ResolveRetries, AreLimitedWhileDirectoriesAreRenamed) {
  const base::test::TempDirectory directory;
  fs::create_directories(directory / "a/b");
  directory.write("a/b/file", "x");
  const auto root = base::open_host_directory(directory.path());
  const std::vector<std::function<void()>> works = {
      [&] { base::open_in_root(root.get(), "/a/b", O_RDONLY | O_DIRECTORY); },
      [&] { base::open_beneath(root.get(), "a/b", O_RDONLY | O_DIRECTORY); },
      [&] { host::find_directory_in_root(root.get(), "/a/b"); }, [&] { base::remove_tree_at(root.get(), "a"); }};
  constexpr std::size_t far_more_than_enough = 10'000;
  for (std::size_t i = 0; i < works.size(); ++i) {
    const auto run = run_with_faults({Calls::resolving, 1, far_more_than_enough, EAGAIN}, works[i]);
    EXPECT_TRUE(run.failed) << i;
    EXPECT_GT(run.calls, 1U) << i;
    EXPECT_LT(run.calls, 1000U) << i;
    EXPECT_FALSE(run_with_faults({Calls::resolving, 1, 100, EAGAIN}, works[i]).failed) << i;
  }
}

TEST_F(FaultTest, AnUpdateOnADiskThatBecomesFullIsReverted) {
  const auto work = [this] { update_web(); };
  const auto calls = run_with_faults({Calls::allocating}, work).calls;
  ASSERT_GT(calls, 20U);
  const auto updated = tree();
  rollback(context, {"web", {}});
  const auto before = tree();
  for (std::size_t from = 1; from <= calls; ++from) {
    const auto run = run_with_faults({Calls::allocating, from}, work);
    ASSERT_FALSE(host::read_journal(machine.layout, "web")) << "full from call " << from;
    if (!run.failed) {
      ASSERT_EQ(host::current_slot(machine.layout, "web"), 1);
      rollback(context, {"web", {}});
    }
    ASSERT_EQ(tree(), before) << "full from call " << from;
  }
}

TEST_F(FaultTest, ARollbackOnADiskThatBecomesFullIsReverted) {
  update_web();
  const auto before = tree();
  const auto work = [this] { rollback(context, {"web", {}}); };
  for (std::size_t from = 1;; ++from) {
    const auto run = run_with_faults({Calls::allocating, from}, work);
    ASSERT_FALSE(host::read_journal(machine.layout, "web")) << "full from call " << from;
    if (!run.failed) {
      EXPECT_GT(from, 6U);
      return;
    }
    ASSERT_EQ(tree(), before) << "full from call " << from;
  }
}

TEST_F(FaultTest, AKilledChangeIsRecoveredOnAFullDisk) {
  const auto recover = [this] { recover_all(context); };
  const auto update_work = [this] { update_web(); };
  const auto calls = run_with_faults({Calls::changing}, update_work).calls;
  const auto updated = tree();
  rollback(context, {"web", {}});
  const auto before = tree();
  for (std::size_t at = calls / 2; at <= calls; ++at) {  // the first half of the calls prepares the new deployment
    ASSERT_TRUE(run_with_faults({Calls::changing, at, 1, 0}, update_work).killed);
    const auto run = run_with_faults({Calls::allocating, 1}, recover);
    ASSERT_FALSE(run.failed) << "killed at call " << at << ": " << run.error;
    expect_whole(before, updated, "killed at call " + std::to_string(at));
    go_back_to(0);
  }
}

/// An uninstall is the way to free space. Even the lock and the record cannot be written here.
TEST_F(FaultTest, AnUninstallNeedsNoDiskSpace) {
  fs::copy(machine.on_disk(""), machine.directory / "copy",
           fs::copy_options::recursive | fs::copy_options::copy_symlinks);
  const auto work = [this] { uninstall(context, "web"); };
  const auto is_gone = [this] {
    return tree_text(machine.on_disk("etc")).find("web") == std::string::npos &&
           !machine.exists("usr/local/bin/webctl") &&
           tree_text(machine.on_disk(deployments), ".storage").find("web") == std::string::npos;
  };
  for (const std::size_t from : {1U, 2U, 3U, 4U, 5U, 6U}) {
    const auto run = run_with_faults({Calls::allocating, from}, work);
    ASSERT_FALSE(run.failed) << "full from call " << from << ": " << run.error;
    ASSERT_TRUE(is_gone()) << "full from call " << from << tree();
    fs::remove_all(machine.on_disk(""));
    fs::copy(machine.directory / "copy", machine.on_disk(""),
             fs::copy_options::recursive | fs::copy_options::copy_symlinks);
  }
}

/// A change that cannot be reverted is reverted by the next command, and no files are lost.
TEST_F(FaultTest, TheNextCommandRecoversAfterTemporaryErrors) {
  const auto work = [this] { update_web(); };
  const auto calls = run_with_faults({Calls::changing}, work).calls;
  const auto updated = tree();
  rollback(context, {"web", {}});
  const auto before = tree();
  std::size_t kept = 0;
  for (std::size_t from = calls / 2; from <= calls; from += 2) {
    for (const std::size_t count : {1U, 4U}) {
      const auto run = run_with_faults({Calls::changing, from, count, EIO}, work);
      kept += host::read_journal(machine.layout, "web") ? 1 : 0;
      recover_all(context);
      expect_whole(before, updated,
                   "EIO at " + std::to_string(count) + " calls from " + std::to_string(from) + ": " + run.error);
      go_back_to(0);
    }
  }
  EXPECT_GT(kept, 0U);
}

/// Wherever a recovery fails, the failure is reported, the record stays, and the next recovery completes.
TEST_F(FaultTest, AFailedRecoveryIsRepeated) {
  const auto work = [this] { update_web(); };
  const auto calls = run_with_faults({Calls::changing}, work).calls;
  const auto updated = tree();
  rollback(context, {"web", {}});
  const auto before = tree();
  std::size_t kept = 0;
  for (std::size_t at = 1;; at += 3) {
    ASSERT_TRUE(run_with_faults({Calls::changing, calls - 30, 1, 0}, work).killed);
    const auto run = run_with_faults({Calls::changing, at, 3, EIO}, [this] { recover_all(context); });
    const auto when = "from call " + std::to_string(at) + ": " + run.error;
    const bool recorded = host::read_journal(machine.layout, "web").has_value();
    ASSERT_EQ(run.failed, !run.error.empty()) << when;
    ASSERT_TRUE(run.failed || !recorded) << when;
    kept += recorded ? 1 : 0;
    recover_all(context);
    ASSERT_FALSE(host::read_journal(machine.layout, "web")) << when;
    expect_whole(before, updated, when);
    go_back_to(0);
    if (run.calls < at) {
      break;
    }
  }
  EXPECT_GT(kept, 10U);
}

}  // namespace
}  // namespace berth::ops
