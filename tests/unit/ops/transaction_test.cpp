// SPDX-License-Identifier: LGPL-2.1-or-later
#include "ops/transaction.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.hpp"
#include "host/fake_systemd.hpp"

namespace berth::ops {
namespace {

using ::testing::ElementsAre;

class Transaction : public ::testing::Test {
 protected:
  Step step(const std::string& name, bool fails = false) {
    return {name,
            [this, name, fails] {
              log.push_back(name);
              if (fails) {
                throw base::Error(base::ErrorKind::failed, name + " failed");
              }
            },
            [this, name] { log.push_back("undo " + name); }};
  }

  std::vector<std::string> log;
  host::testing::RecordingReporter reporter;
};

TEST_F(Transaction, AppliesInOrder) {
  run_steps("web", {step("a"), step("b")}, reporter, {});
  EXPECT_THAT(log, ElementsAre("a", "b"));
}

TEST_F(Transaction, UndoesInReverseOrderIncludingTheFailedStep) {
  EXPECT_THROW(run_steps("web", {step("a"), step("b"), step("c", true), step("d")}, reporter, {}), base::Error);
  EXPECT_THAT(log, ElementsAre("a", "b", "c", "undo c", "undo b", "undo a"));
}

TEST_F(Transaction, AFailedUndoIsAWarningAndTheOthersAreUndone) {
  auto stubborn = step("b");
  stubborn.undo = [] { throw std::runtime_error("stuck"); };
  EXPECT_THROW(run_steps("web", {step("a"), stubborn, step("c", true)}, reporter, {}), base::Error);
  EXPECT_THAT(log, ElementsAre("a", "b", "c", "undo c", "undo a"));
  EXPECT_THAT(reporter.warnings, ElementsAre("while undoing 'b': stuck"));
}

TEST_F(Transaction, AnIncompleteUndoIsReported) {
  auto stubborn = step("b");
  stubborn.undo = [] { throw std::runtime_error("stuck"); };
  try {
    run_steps("web", {step("a"), stubborn, step("c", true)}, reporter, {});
    FAIL();
  } catch (const IncompleteUndo& error) {
    EXPECT_EQ(error.message(), "c failed");
    EXPECT_THAT(error.hint(), ::testing::HasSubstr("berth recover"));
  }
  EXPECT_FALSE(undo_steps({stubborn}, 1, reporter));
  EXPECT_TRUE(undo_steps({step("a")}, 1, reporter));
}

TEST_F(Transaction, AFailedDecisiveUndoKeepsTheEarlierSteps) {
  auto stubborn = step("b");
  stubborn.undo = [] { throw std::runtime_error("stuck"); };
  stubborn.decisive = true;
  EXPECT_THROW(run_steps("web", {step("a"), stubborn, step("c"), step("d", true)}, reporter, {}), IncompleteUndo);
  EXPECT_THAT(log, ElementsAre("a", "b", "c", "d", "undo d", "undo c"));
}

TEST_F(Transaction, AnIncompleteUndoIsNotReportedAsAFailedStart) {
  EXPECT_EQ(IncompleteUndo(base::Error(base::ErrorKind::start_failed, "x")).kind(), base::ErrorKind::failed);
}

TEST_F(Transaction, AnIncompleteUndoAfterAStopRequestKeepsTheRecord) {
  std::stop_source stop;
  auto stubborn = step("a");
  stubborn.apply = [&stop] { stop.request_stop(); };
  stubborn.undo = [] { throw base::Interrupted(); };
  EXPECT_THROW(run_steps("web", {stubborn}, reporter, stop.get_token()), InterruptedUndo);
  EXPECT_THAT(reporter.warnings, ElementsAre("while undoing 'a': interrupted"));
  stop = std::stop_source();
  EXPECT_THROW(run_steps("web", {stubborn}, reporter, stop.get_token()), RecordStays);
}

TEST_F(Transaction, AStopRequestBetweenStepsUndoesThem) {
  std::stop_source stop;
  auto stopping = step("a");
  stopping.apply = [&stop] { stop.request_stop(); };
  EXPECT_THROW(run_steps("web", {stopping, step("b")}, reporter, stop.get_token()), base::Interrupted);
  EXPECT_THAT(log, ElementsAre("undo a"));
}

}  // namespace
}  // namespace berth::ops
