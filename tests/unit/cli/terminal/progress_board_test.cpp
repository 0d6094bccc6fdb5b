// SPDX-License-Identifier: LGPL-2.1-or-later
#include "cli/terminal/progress_board.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace berth::cli {
namespace {

using base::Progress;
using base::ProgressPhase;
using base::ProgressTask;
using std::chrono::seconds;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

class ProgressBoardTest : public ::testing::Test {
 protected:
  ProgressBoard::Change update(const Progress& progress) { return board_.update(progress, now_); }
  std::vector<std::string> shown(std::size_t most = 10) {
    std::vector<std::string> names;
    for (const auto& line : board_.lines(now_, most)) {
      names.push_back(line.name);
    }
    return names;
  }

  ProgressBoard board_;
  ProgressBoard::Time now_{seconds(100)};
};

TEST_F(ProgressBoardTest, ShowsItemsAtWorkAndTheirTotal) {
  update({"a", ProgressTask::fetching, 10, 100});
  EXPECT_THAT(shown(), ElementsAre("a"));
  update({"b", ProgressTask::fetching, 20, 100});
  update({"c", ProgressTask::fetching, 0, 300, ProgressPhase::waiting});
  EXPECT_THAT(shown(), ElementsAre("a", "b", "total"));
  update({"a", ProgressTask::fetching, 100, 100, ProgressPhase::done});
  EXPECT_THAT(shown(), ElementsAre("b", "total"));
  const auto total = board_.total(now_);
  EXPECT_EQ(total.done, 120U);
  EXPECT_EQ(total.total, 500U);
  EXPECT_EQ(total.label, "1 of 3");
}

TEST_F(ProgressBoardTest, KeepsTheTotalInALowWindow) {
  for (const char* id : {"a", "b", "c", "d"}) {
    update({id, ProgressTask::fetching, 10, 100});
  }
  EXPECT_THAT(shown(3), ElementsAre("a", "b", "total"));
  EXPECT_THAT(shown(1), ElementsAre("total"));
  EXPECT_THAT(shown(0), IsEmpty());
}

TEST_F(ProgressBoardTest, ForgetsTheLastBatch) {
  update({"a", ProgressTask::fetching, 10, 100});
  update({"a", ProgressTask::fetching, 100, 100, ProgressPhase::done});
  EXPECT_FALSE(board_.working());
  now_ += seconds(9);
  update({"b", ProgressTask::fetching, 0, 50});
  EXPECT_EQ(board_.total(now_).total, 50U);
  EXPECT_EQ(board_.begun(), now_);
}

TEST_F(ProgressBoardTest, ReturnsTheEffectsOfAnUpdate) {
  EXPECT_TRUE(update({"a", ProgressTask::fetching, 0, 100, ProgressPhase::waiting}).phase);
  now_ += seconds(5);
  EXPECT_TRUE(update({"a", ProgressTask::fetching, 0, 100}).phase);
  now_ += seconds(2);
  const auto change = update({"a", ProgressTask::fetching, 50, 100});
  EXPECT_FALSE(change.phase);
  EXPECT_FALSE(change.ended);
  EXPECT_EQ(change.took, seconds(2));
  EXPECT_EQ(change.since_last_line, seconds(7));
  board_.mark_line("a", now_);
  EXPECT_EQ(update({"a", ProgressTask::fetching, 60, 100}).since_last_line, seconds(0));
  EXPECT_TRUE(update({"a", ProgressTask::fetching, 100, 100, ProgressPhase::done}).ended);
}

TEST_F(ProgressBoardTest, DoesNotReportItemsThatArriveComplete) {
  EXPECT_FALSE(update({"a", ProgressTask::present, 100, 100, ProgressPhase::done}).ended);
  EXPECT_FALSE(board_.working());
}

TEST_F(ProgressBoardTest, RestartsRatesAfterAStop) {
  update({"a", ProgressTask::fetching, 0, 1000});
  board_.lines(now_, 10);
  now_ += seconds(1);
  update({"a", ProgressTask::fetching, 100, 1000});
  EXPECT_EQ(board_.lines(now_, 10).front().rate, 100);
  board_.restart_meters();
  EXPECT_EQ(board_.lines(now_, 10).front().rate, 0);
}

}  // namespace
}  // namespace berth::cli
