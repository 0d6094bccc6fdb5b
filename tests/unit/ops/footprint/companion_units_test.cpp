// SPDX-License-Identifier: LGPL-2.1-or-later
#include "ops/footprint/companion_units.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "ops/machine.hpp"

namespace berth::ops {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

const std::string units = "/etc/systemd/system/";

class CompanionUnits : public ::testing::Test {
 protected:
  CompanionUnits() { machine.systemd.active = {"web.socket", "web.timer"}; }
  auto find(const std::vector<std::string>& paths) {
    return companion_units(context, paths, [](const std::string& path) { return path.ends_with(".socket"); });
  }

  test::Machine machine;
  Context context = machine.context();
};

TEST_F(CompanionUnits, AreActiveUnitsAmongTheHostFiles) {
  const auto found = find({units + "web.socket", units + "stopped.path", "/etc/web/web.timer", units + "web.timer"});
  EXPECT_THAT(active_names(found), ElementsAre("web.socket", "web.timer"));
  EXPECT_TRUE(found.at(0).stays);
  EXPECT_FALSE(found.at(1).stays);
}

TEST_F(CompanionUnits, TemplatesAndInvalidNamesAreNotQueried) {
  machine.systemd.queries.clear();
  EXPECT_THAT(find({units + "web@.socket", units + "a b.socket", units + "web.conf"}), IsEmpty());
  EXPECT_THAT(machine.systemd.queries, IsEmpty());
}

TEST_F(CompanionUnits, AreStoppedAndRestored) {
  const auto found = find({units + "web.socket", units + "web.timer"});
  stop_companions(context, found);
  EXPECT_THAT(machine.systemd.active, IsEmpty());
  restore_companions(context, found);
  EXPECT_THAT(machine.systemd.active, ElementsAre("web.socket", "web.timer"));
}

TEST_F(CompanionUnits, OnlyReplacedOnesAreStartedAgain) {
  const auto found = find({units + "web.socket", units + "web.timer"});
  stop_companions(context, found);
  start_companions(context, "web.service", found);
  EXPECT_THAT(machine.systemd.active, ElementsAre("web.socket"));
  stop_started_companions(context, found);
  EXPECT_THAT(machine.systemd.active, IsEmpty());
}

}  // namespace
}  // namespace berth::ops
