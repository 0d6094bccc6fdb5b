// SPDX-License-Identifier: LGPL-2.1-or-later
#include "host/systemd/systemd_journal.hpp"

#include <gmock/gmock.h>

#include "host/scratch.hpp"

namespace berth::host::testing {
namespace {

using ::testing::IsEmpty;

TEST(UnitLog, IsEmptyWithoutAJournal) {
  const Scratch scratch;
  EXPECT_THAT(read_unit_log("web.service", 10, false, scratch.path()), IsEmpty());
  EXPECT_THAT(read_unit_log("web.service", 10, false, scratch.at("missing")), IsEmpty());
}

TEST(UnitLog, IsEmptyWithoutMessagesOfTheUnit) {
  EXPECT_THAT(read_unit_log("berth-no-such-unit.service", 10), IsEmpty());
}

TEST(UnitLog, IsEmptyForADamagedJournal) {
  const Scratch scratch;
  scratch.file("system.journal", "this is no journal");
  EXPECT_THAT(read_unit_log("web.service", 10, false, scratch.path()), IsEmpty());
}

}  // namespace
}  // namespace berth::host::testing
