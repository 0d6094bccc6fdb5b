// SPDX-License-Identifier: LGPL-2.1-or-later
#include "ops/containers/adopt.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <functional>

#include "base/temp_directory.hpp"
#include "host/state/deployment.hpp"
#include "host/state/transaction_journal.hpp"
#include "ops/atomic_layout.hpp"
#include "ops/change/adopted_places.hpp"
#include "ops/change/recover.hpp"
#include "ops/containers/install.hpp"
#include "ops/containers/rollback.hpp"
#include "ops/containers/uninstall.hpp"
#include "ops/containers/update.hpp"
#include "ops/faulty_calls.hpp"
#include "ops/images/pull.hpp"
#include "ops/machine.hpp"
#include "ops/tree.hpp"

namespace berth::ops {
namespace {

using base::ErrorKind;
using base::test::error_of;
using test::atomic_context;
using test::atomic_directory;
using test::Calls;
using test::full_image;
using test::Machine;
using test::run_with_faults;
using test::tree_text;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
namespace fs = std::filesystem;

/// A machine on which another tool has installed a container `web`, with the same layout in another directory.
class Adopt : public ::testing::Test {
 protected:
  Adopt() {
    auto theirs = atomic_context(machine_);
    InstallRequest request;
    request.image = machine_.image("web", full_image());
    request.name = "web";
    request.start = true;
    install(theirs, request);
    machine_.systemd.calls.clear();
  }

  AdoptOutcome take(bool only_plan = false) {
    auto context = machine_.context();
    return adopt(context, {atomic_directory, "", {}, only_plan});
  }
  AdoptOutcome undo(const std::vector<std::string>& names = {}) {
    auto context = machine_.context();
    return undo_adoption(context, {atomic_directory, "", names, false});
  }
  std::string link(const std::string& path) { return fs::read_symlink(machine_.on_disk(path)).string(); }

  Machine machine_;
};

TEST_F(Adopt, APlanChangesNothing) {
  const auto before = tree_text(machine_.on_disk(""));
  const auto plan = take(true);
  ASSERT_EQ(plan.containers.size(), 1U);
  EXPECT_EQ(plan.containers[0].name, "web");
  EXPECT_TRUE(plan.containers[0].running);
  EXPECT_THAT(plan.containers[0].directories, ElementsAre("web.0"));
  EXPECT_EQ(plan.repository, RepositoryFate::moved);
  EXPECT_THAT(plan.images, ElementsAre("localhost/web:latest"));
  EXPECT_EQ(tree_text(machine_.on_disk("")), before);
}

TEST_F(Adopt, DeploymentsMoveAndLeaveLinks) {
  const auto files = tree_text(machine_.on_disk("var/lib/containers/atomic/web.0"));
  const auto unit = machine_.read("etc/systemd/system/web.service");
  take();
  EXPECT_THAT(machine_.systemd.calls, IsEmpty());
  EXPECT_EQ(machine_.read("etc/systemd/system/web.service"), unit);
  EXPECT_EQ(tree_text(machine_.on_disk("var/lib/containers/berth/web.0")), files);
  EXPECT_EQ(link("var/lib/containers/berth/web"), "web.0");
  EXPECT_EQ(link("var/lib/containers/atomic/web"), "/var/lib/containers/berth/web");
  EXPECT_EQ(link("var/lib/containers/atomic/web.0"), "/var/lib/containers/berth/web.0");
  EXPECT_EQ(link("var/lib/containers/atomic/.storage/ostree"), "/var/lib/containers/berth/.storage/ostree");
  auto context = machine_.context();
  EXPECT_EQ(host::installed_deployment(context.layout, "web").slot, 0);
}

TEST_F(Adopt, UndoReturnsEverything) {
  const auto before = tree_text(machine_.on_disk("var/lib/containers/atomic/web.0"));
  take();
  const auto outcome = undo();
  EXPECT_EQ(outcome.repository, RepositoryFate::moved);
  EXPECT_EQ(tree_text(machine_.on_disk("var/lib/containers/atomic/web.0")), before);
  EXPECT_EQ(link("var/lib/containers/atomic/web"), "/var/lib/containers/atomic/web.0");
  EXPECT_TRUE(machine_.exists("var/lib/containers/atomic/.storage/ostree/objects"));
  EXPECT_FALSE(machine_.exists("var/lib/containers/berth/web"));
  EXPECT_FALSE(machine_.exists("var/lib/containers/berth/web.0"));
  EXPECT_FALSE(machine_.exists("var/lib/containers/berth/.adopted"));
  EXPECT_THAT(machine_.systemd.calls, IsEmpty());
  EXPECT_THAT(error_of([&] { undo(); }).what(), HasSubstr("nothing was adopted"));
}

TEST_F(Adopt, UndoAfterAnUpdateNeedsARollback) {
  take();
  auto context = machine_.context();
  UpdateRequest request;
  request.name = "web";
  request.set = {"PORT=81"};
  request.pull = false;
  request.gate.enabled = false;
  EXPECT_TRUE(update(context, request).changed);
  const auto error = error_of([&] { undo(); });
  EXPECT_EQ(error.kind(), ErrorKind::conflict);
  EXPECT_THAT(error.hint(), HasSubstr("berth rollback web"));
  RollbackRequest back{"web", {}};
  back.gate.enabled = false;
  rollback(context, back);
  const auto outcome = undo();
  EXPECT_THAT(outcome.containers.at(0).dropped, ElementsAre("web.1"));
  EXPECT_TRUE(machine_.exists("var/lib/containers/atomic/web.0/info"));
  EXPECT_FALSE(machine_.exists("var/lib/containers/berth/web.1"));
}

TEST_F(Adopt, UninstallRemovesTheLinks) {
  take();
  auto context = machine_.context();
  uninstall(context, "web");
  EXPECT_FALSE(machine_.exists("var/lib/containers/atomic/web"));
  EXPECT_FALSE(machine_.exists("var/lib/containers/atomic/web.0"));
}

TEST_F(Adopt, ImagesAreAddedToAnExistingRepository) {
  auto context = machine_.context();
  auto other = full_image();
  other.files[1].content = "#!/bin/other\n";
  pull(context, {machine_.image("other", other), "", ""});
  const auto outcome = take();
  EXPECT_EQ(outcome.repository, RepositoryFate::copied);
  auto store = store::Store::open(store_options(context));
  EXPECT_EQ(store.images(false).size(), 2U);
  EXPECT_TRUE(store.find(image::parse_image_name("localhost/web:latest"))->merged);
  EXPECT_TRUE(machine_.exists("var/lib/containers/atomic/.storage/ostree/objects"));
  EXPECT_EQ(undo().repository, RepositoryFate::stays);
  EXPECT_TRUE(machine_.exists("var/lib/containers/berth/.storage/ostree/objects"));
}

TEST_F(Adopt, RefusesATakenNameBeforeAnyChange) {
  auto context = machine_.context();
  machine_.write("var/lib/containers/berth/web.0/info", "{}");
  fs::create_symlink("web.0", machine_.on_disk("var/lib/containers/berth/web"));
  const auto error = error_of([&] { take(); });
  EXPECT_EQ(error.kind(), ErrorKind::conflict);
  EXPECT_THAT(error.what(), HasSubstr("berth already has a container web"));
  EXPECT_TRUE(machine_.exists("var/lib/containers/atomic/web.0/info"));
  EXPECT_FALSE(fs::is_symlink(machine_.on_disk("var/lib/containers/atomic/.storage/ostree")));
}

TEST_F(Adopt, RefusesUnknownNamesAndEmptyDirectories) {
  auto context = machine_.context();
  EXPECT_EQ(error_of([&] { adopt(context, {atomic_directory, "", {"nobody"}, false}); }).kind(), ErrorKind::not_found);
  EXPECT_EQ(error_of([&] { adopt(context, {"/no/such", "", {}, false}); }).kind(), ErrorKind::not_found);
  machine_.make_directory("srv/empty");
  EXPECT_THAT(error_of([&] {
                adopt(context, {"/srv/empty", "", {}, false});
              }).what(),
              HasSubstr("there is nothing to adopt in /srv/empty"));
}

TEST_F(Adopt, AdoptsOnlyTheNamedContainer) {
  auto theirs = atomic_context(machine_);
  InstallRequest request;
  request.image = machine_.image("web", full_image());
  request.name = "second";
  request.set = {"GREETING=hi"};
  install(theirs, request);
  auto context = machine_.context();
  adopt(context, {atomic_directory, "", {"second"}, false});
  EXPECT_TRUE(host::find_deployment(context.layout, "second"));
  EXPECT_FALSE(host::find_deployment(context.layout, "web"));
  take();
  EXPECT_EQ(undo({"second"}).repository, RepositoryFate::stays);
  EXPECT_EQ(undo().repository, RepositoryFate::moved);
  EXPECT_TRUE(machine_.exists("var/lib/containers/atomic/web.0/info"));
}

/// The journal record is sufficient to complete the adoption.
TEST_F(Adopt, RecoveryCompletesAnInterruptedAdoption) {
  auto context = machine_.context();
  const auto record = [&](bool undo) {
    host::write_journal(context.layout, "web",
                        {{"operation", "adopt"}, {"name", "web"}, {"from", atomic_directory}, {"undo", undo}});
  };
  record(false);
  recover_all(context);
  EXPECT_EQ(link("var/lib/containers/berth/web"), "web.0");
  fs::remove(machine_.on_disk("var/lib/containers/berth/web"));  // as after a kill between exchange and link
  fs::remove(machine_.on_disk("var/lib/containers/atomic/web"));
  fs::create_symlink("/var/lib/containers/atomic/web.0", machine_.on_disk("var/lib/containers/atomic/web"));
  record(false);
  recover_all(context);
  EXPECT_EQ(link("var/lib/containers/berth/web"), "web.0");
  EXPECT_EQ(link("var/lib/containers/atomic/web"), "/var/lib/containers/berth/web");
  record(true);
  recover_all(context);
  EXPECT_TRUE(fs::is_directory(fs::symlink_status(machine_.on_disk("var/lib/containers/atomic/web.0"))));
  EXPECT_FALSE(machine_.exists("var/lib/containers/berth/web.0"));
  EXPECT_FALSE(host::read_journal(context.layout, "web"));
}

/// The paths of `atomic` stay valid, and no temporary names are left.
TEST_F(Adopt, KilledAtAnyCallItIsCompletedOrRepeated) {
  const auto locks = "var/lib/containers/berth/.locks:var/lib/containers/atomic/.locks";
  const auto tree = [&] { return tree_text(machine_.on_disk(""), locks); };
  const auto tried = [](const std::function<void()>& work) {
    try {
      work();
    } catch (const base::Error& error) {
      ASSERT_EQ(error.kind(), ErrorKind::not_found) << error.what();  // it was completed
    }
  };
  const auto adopting = [this] { take(); };
  const auto returning = [this] { undo(); };
  auto context = machine_.context();
  take();
  undo();  // a returned repository does not have the mark of a private one
  run_with_faults({}, adopting);
  const auto adopted = tree();
  const auto calls = run_with_faults({}, returning).calls;
  const auto before = tree();
  for (std::size_t at = 1; run_with_faults({Calls::changing, at, 1, 0}, adopting).killed; ++at) {
    recover_all(context);
    // The path of the repository of `atomic` stays valid.
    ASSERT_TRUE(machine_.exists("var/lib/containers/atomic/.storage/ostree")) << "adopt killed at call " << at;
    tried(adopting);
    ASSERT_EQ(tree(), adopted) << "adopt killed at call " << at;
    undo();
    ASSERT_EQ(tree(), before) << "adopt killed at call " << at;
  }
  for (std::size_t at = 1; at <= calls; ++at) {
    ASSERT_TRUE(run_with_faults({Calls::changing, at, 1, 0}, returning).killed);
    recover_all(context);
    tried(returning);
    ASSERT_EQ(tree(), before) << "--undo killed at call " << at;
    take();
  }
}

}  // namespace
}  // namespace berth::ops
