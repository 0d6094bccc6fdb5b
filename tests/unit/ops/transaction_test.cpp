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
  run_steps({step("a"), step("b")}, reporter, {});
  EXPECT_THAT(log, ElementsAre("a", "b"));
}

TEST_F(Transaction, UndoesBackwardsIncludingTheStepThatFailed) {
  EXPECT_THROW(run_steps({step("a"), step("b"), step("c", true), step("d")}, reporter, {}), base::Error);
  EXPECT_THAT(log, ElementsAre("a", "b", "c", "undo c", "undo b", "undo a"));
}

TEST_F(Transaction, UndoThatFailsIsAWarningAndTheOthersGoOn) {
  auto stubborn = step("b");
  stubborn.undo = [] { throw std::runtime_error("stuck"); };
  EXPECT_THROW(run_steps({step("a"), stubborn, step("c", true)}, reporter, {}), base::Error);
  EXPECT_THAT(log, ElementsAre("a", "b", "c", "undo c", "undo a"));
  EXPECT_THAT(reporter.warnings, ElementsAre("while taking back 'b': stuck"));
}

TEST_F(Transaction, WhatCouldNotBeTakenBackIsTold) {
  auto stubborn = step("b");
  stubborn.undo = [] { throw std::runtime_error("stuck"); };
  try {
    run_steps({step("a"), stubborn, step("c", true)}, reporter, {});
    FAIL();
  } catch (const IncompleteUndo& error) {
    EXPECT_EQ(error.message(), "c failed");
    EXPECT_THAT(error.hint(), ::testing::HasSubstr("berth recover"));
  }
  EXPECT_FALSE(undo_steps({stubborn}, 1, reporter));
  EXPECT_TRUE(undo_steps({step("a")}, 1, reporter));
}

TEST_F(Transaction, NothingIsTakenAwayFromBelowADecisiveStep) {
  auto stubborn = step("b");
  stubborn.undo = [] { throw std::runtime_error("stuck"); };
  stubborn.decisive = true;
  EXPECT_THROW(run_steps({step("a"), stubborn, step("c"), step("d", true)}, reporter, {}), IncompleteUndo);
  EXPECT_THAT(log, ElementsAre("a", "b", "c", "d", "undo d", "undo c"));
}

TEST_F(Transaction, AServiceThatDidNotStartWasNotRolledBackThen) {
  EXPECT_EQ(IncompleteUndo(base::Error(base::ErrorKind::start_failed, "x")).kind(), base::ErrorKind::failed);
  EXPECT_EQ(IncompleteUndo(base::Error(base::ErrorKind::interrupted, "x")).kind(), base::ErrorKind::interrupted);
}

TEST_F(Transaction, StopRequestBetweenStepsUndoes) {
  std::stop_source stop;
  auto stopping = step("a");
  stopping.apply = [&stop] { stop.request_stop(); };
  try {
    run_steps({stopping, step("b")}, reporter, stop.get_token());
    FAIL();
  } catch (const base::Error& error) {
    EXPECT_EQ(error.kind(), base::ErrorKind::interrupted);
  }
  EXPECT_THAT(log, ElementsAre("undo a"));
}

}  // namespace
}  // namespace berth::ops
