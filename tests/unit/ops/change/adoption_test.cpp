// SPDX-License-Identifier: LGPL-2.1-or-later
#include "ops/change/adoption.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <filesystem>

#include "base/json.hpp"
#include "base/temp_directory.hpp"
#include "host/state/deployment.hpp"
#include "host/state/transaction_journal.hpp"
#include "ops/atomic_layout.hpp"
#include "ops/containers/install.hpp"
#include "ops/images/pull.hpp"
#include "ops/machine.hpp"
#include "ops/tree.hpp"

namespace berth::ops {
namespace {

using base::ErrorKind;
using base::test::error_of;
using test::atomic_directory;
using test::Machine;
using test::tree_text;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
namespace fs = std::filesystem;

constexpr const char* berth_directory = "/var/lib/containers/berth";

/// A machine with a container `web` of another tool, and an empty directory of deployments of berth.
class AdoptionTest : public ::testing::Test {
 protected:
  AdoptionTest() : context(machine.context()) {
    auto theirs = test::atomic_context(machine);
    InstallRequest request;
    request.image = machine.image("web", test::full_image());
    request.name = "web";
    install(theirs, request);
    host::make_deployments_directory(context.layout);
  }
  void write_record(bool undo) { host::write_journal(machine.layout, "web", to_json(record(undo))); }
  static AdoptionRecord record(bool undo) { return {"web", atomic_directory, undo}; }
  [[nodiscard]] std::string tree(const std::string& path) const { return tree_text(machine.on_disk(path)); }

  Machine machine;
  Context context;
};

TEST(AdoptionRecord, IsReadAsWritten) {
  for (const bool undo : {false, true}) {
    const auto read = parse_adoption_record(to_json(AdoptionRecord{"web", atomic_directory, undo}));
    ASSERT_TRUE(read);
    EXPECT_EQ(read->name, "web");
    EXPECT_EQ(read->from, atomic_directory);
    EXPECT_EQ(read->undo, undo);
  }
}

TEST(AdoptionRecord, OfAnotherOperationIsIgnored) {
  EXPECT_FALSE(parse_adoption_record({{"operation", "update"}}));
}

TEST(AdoptionRecord, ADamagedRecordIsRefused) {
  EXPECT_EQ(error_of([] {
              parse_adoption_record({{"operation", "adopt"}, {"name", "web"}});
            }).kind(),
            ErrorKind::verification);
  EXPECT_EQ(error_of([] { parse_adoption_record(base::Json::object()); }).kind(), ErrorKind::verification);
}

TEST_F(AdoptionTest, PathsAreInsideTheRoot) {
  EXPECT_EQ(path_in_root(context, machine.on_disk("srv/ostree")), "/srv/ostree");
}

TEST_F(AdoptionTest, ARepositoryHasObjects) {
  EXPECT_TRUE(is_repository(machine.on_disk("var/lib/containers/atomic/.storage/ostree")));
  EXPECT_FALSE(is_repository(machine.on_disk("var/lib/containers/atomic")));
  EXPECT_FALSE(is_repository(machine.on_disk("nowhere")));
}

TEST_F(AdoptionTest, OneCommandAtATime) {
  const auto held = lock_adoptions(context, std::chrono::seconds(0));
  EXPECT_EQ(error_of([&] { lock_adoptions(context, std::chrono::seconds(0)); }).kind(), ErrorKind::conflict);
  write_record(false);
  EXPECT_EQ(error_of([&] { complete_adoption(context, record(false)); }).kind(), ErrorKind::conflict);
  EXPECT_TRUE(host::read_journal(machine.layout, "web"));
}

TEST_F(AdoptionTest, IsCompletedInEitherDirection) {
  const auto files = tree("var/lib/containers/atomic/web.0");
  write_record(false);
  for (int repeated = 0; repeated < 2; ++repeated) {
    complete_adoption(context, record(false));
    EXPECT_EQ(host::installed_deployment(machine.layout, "web").slot, 0);
    EXPECT_EQ(tree("var/lib/containers/berth/web.0"), files);
    EXPECT_EQ(fs::read_symlink(machine.on_disk("var/lib/containers/atomic/web.0")),
              std::string(berth_directory) + "/web.0");
    EXPECT_FALSE(host::read_journal(machine.layout, "web"));
  }
  write_record(true);
  for (int repeated = 0; repeated < 2; ++repeated) {
    complete_adoption(context, record(true));
    EXPECT_FALSE(host::find_deployment(machine.layout, "web"));
    EXPECT_EQ(tree("var/lib/containers/atomic/web.0"), files);
    EXPECT_FALSE(host::read_journal(machine.layout, "web"));
  }
}

TEST_F(AdoptionTest, DeploymentsOfBerthAreDroppedBeforeTheOthersAreReturned) {
  complete_adoption(context, record(false));
  const AdoptedPlaces places(context, atomic_directory);
  EXPECT_THAT(own_slots(context, places, "web"), IsEmpty());
  const std::string deployments = "var/lib/containers/berth/";
  auto info = host::installed_deployment(machine.layout, "web").info;
  info.values["DESTDIR"] = std::string(berth_directory) + "/web.1";
  machine.write(deployments + "web.1/info", host::write_info(info));
  EXPECT_THAT(own_slots(context, places, "web"), ElementsAre("web.1"));
  drop_own_slots(context, places, "web");
  EXPECT_FALSE(machine.exists(deployments + "web.1"));
  EXPECT_TRUE(machine.exists(deployments + "web.0"));
}

TEST_F(AdoptionTest, LinksOfARemovedContainerAreRemoved) {
  complete_adoption(context, record(false));
  write_adoptions(context, {{atomic_directory, false}});
  remove_adopted_links(context, "web");
  EXPECT_FALSE(machine.exists("var/lib/containers/atomic/web"));
  EXPECT_FALSE(machine.exists("var/lib/containers/atomic/web.0"));
  EXPECT_TRUE(machine.exists("var/lib/containers/berth/web.0"));
}

}  // namespace
}  // namespace berth::ops
