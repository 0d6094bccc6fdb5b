// SPDX-License-Identifier: LGPL-2.1-or-later
// The use of the store by commands in progress, and how long a prune waits for them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "base/temp_directory.hpp"
#include "host/state/deployment.hpp"
#include "ops/change/recover.hpp"
#include "ops/change/staged_deployment.hpp"
#include "ops/containers/rollback.hpp"
#include "ops/containers/update.hpp"
#include "ops/images/delete.hpp"
#include "ops/images/deployments_in_use.hpp"
#include "ops/images/image_lookup.hpp"
#include "ops/images/prune.hpp"
#include "ops/images/pull.hpp"
#include "ops/machine.hpp"
#include "ops/runtime/one_off.hpp"

namespace berth::ops {
namespace {

using base::ErrorKind;
using base::test::error_of;
using test::Machine;
using ::testing::Contains;
using ::testing::IsEmpty;
namespace fs = std::filesystem;

constexpr const char* web = "localhost/web:latest";

class StoreUse : public ::testing::Test {
 protected:
  StoreUse() : context(machine.context()) { context.config.settle_seconds = 0; }

  void store(const std::string& program) {
    auto spec = test::full_image();
    spec.files[1].content = program;
    fs::remove_all(machine.directory / "web");
    pull(context, {machine.image("web", spec), "", ""});
  }
  void install_web() {
    store("first");
    InstallRequest request;
    request.image = "oci:" + (machine.directory / "web");
    request.name = "web";
    install(context, request);
  }
  [[nodiscard]] bool is_stored(const std::string& commit) const {
    return open_images(context).describe(commit, "").has_value();
  }

  Machine machine;
  Context context;
};

TEST_F(StoreUse, AStagedDeploymentIsInUse) {
  store("first");
  machine.make_directory("var/lib/containers/berth");
  const auto lock = lock_container(context, "web");
  StagedDeployment staged(context, "web", 0);
  std::string commit;
  {
    auto images = open_images(context);
    const auto image = images.images(false).at(0);
    commit = image.commit;
    staged.check_out(images, image);
  }
  delete_images(context, {web}, false);  // as when the tag has moved
  prune(context, false);
  EXPECT_TRUE(is_stored(commit));
  EXPECT_THAT(commits_in_use(deployments_in_use(context)), Contains(commit));
}

TEST_F(StoreUse, PruneNeedNotWaitForAnUpdateAfterTheCheckout) {
  install_web();
  store("second");
  const auto commit = open_images(context).images(false).at(0).commit;
  std::size_t steps = 0;
  UpdateRequest request;
  request.name = "web";
  update(context, request, [&](std::size_t) {
    ++steps;
    delete_images(context, {web}, true);
    prune(context, false);  // fails at once if the store is locked
    EXPECT_TRUE(is_stored(commit));
    store("second");  // for the next round
  });
  EXPECT_GT(steps, 5U);
  EXPECT_TRUE(is_stored(commit));
  EXPECT_EQ(host::find_deployment(machine.layout, "web")->info.ostree_commit, commit);
}

TEST_F(StoreUse, SeveralUpdatesChooseTheSameImage) {
  install_web();
  InstallRequest second;
  second.image = "oci:" + (machine.directory / "web");
  second.name = "other";
  second.set = {"GREETING=hi"};
  install(context, second);
  store("second");
  const auto rows = update_all(context, {});
  ASSERT_EQ(rows.size(), 2U);
  EXPECT_EQ(rows[0].status, "updated") << rows[0].error.value_or(base::Error(ErrorKind::failed, "")).what();
  EXPECT_EQ(rows[1].status, "updated");
  EXPECT_EQ(rows[0].outcome.id_after, rows[1].outcome.id_after);
}

TEST_F(StoreUse, ARollbackIsRefusedWhileAOneOffUsesTheFiles) {
  install_web();
  const auto runtime = machine.on_disk("usr/bin/runc");
  OneOff one_off(context, "web", "web.0", runtime);
  one_off.claim();
  store("second");
  UpdateRequest request;
  request.name = "web";
  EXPECT_TRUE(update(context, request).changed) << "into the slot that is free";
  store("third");
  EXPECT_EQ(error_of([&] { update(context, request); }).kind(), ErrorKind::conflict) << "its slot would be emptied";
  const auto server = machine.on_disk("var/lib/containers/berth/web.0/rootfs/bin/server");
  EXPECT_TRUE(fs::exists(server));
  rollback(context, {"web", {}});
  EXPECT_EQ(host::find_deployment(machine.layout, "web")->slot, 0);
  EXPECT_TRUE(fs::exists(server));
  EXPECT_TRUE(fs::exists(machine.on_disk("var/lib/containers/berth/web.1/rootfs/bin/server")));
  EXPECT_TRUE(update(context, request).changed) << "the slot that it does not use is free again";
}

}  // namespace
}  // namespace berth::ops
