// SPDX-License-Identifier: LGPL-2.1-or-later
#include "base/activity.hpp"

#include <gtest/gtest.h>

#include <stdexcept>
#include <thread>
#include <vector>

namespace berth::base {
namespace {

class RecordingReporter final : public Reporter {
 public:
  void step(std::string_view /*message*/) override {}
  void progress(const Progress& progress) override {
    reports.push_back(progress);
    if (fails) {
      throw std::runtime_error("injected");
    }
  }
  void warning(std::string_view /*message*/) override {}

  std::vector<Progress> reports;
  bool fails = false;
};

TEST(Activity, IsWorkingWhileItLivesAndDoneAtItsEnd) {
  RecordingReporter reporter;
  {
    const Activity activity(reporter, "it", ProgressTask::merging);
    ASSERT_EQ(reporter.reports.size(), 1U);
    EXPECT_EQ(reporter.reports[0].id, "it");
    EXPECT_EQ(reporter.reports[0].task, ProgressTask::merging);
    EXPECT_EQ(reporter.reports[0].phase, ProgressPhase::working);
  }
  ASSERT_EQ(reporter.reports.size(), 2U);
  EXPECT_EQ(reporter.reports[1].phase, ProgressPhase::done);
}

TEST(Activity, CountsTheWorkOfSeveralThreadsAndReportsSeldom) {
  RecordingReporter reporter;
  {
    Activity activity(reporter, "it", ProgressTask::checking, ProgressUnit::files, 2000);
    {
      std::vector<std::jthread> threads;
      for (int i = 0; i < 2; ++i) {
        threads.emplace_back([&activity] {
          for (int k = 0; k < 1000; ++k) {
            activity.advance(1);
          }
        });
      }
    }
  }
  EXPECT_EQ(reporter.reports.back().done, 2000U);
  EXPECT_EQ(reporter.reports.back().total, 2000U);
  EXPECT_EQ(reporter.reports.back().unit, ProgressUnit::files);
  EXPECT_LT(reporter.reports.size(), 100U);
}

TEST(Activity, ReportsAgainAfterAWhile) {
  RecordingReporter reporter;
  Activity activity(reporter, "it", ProgressTask::checking, ProgressUnit::files);
  std::this_thread::sleep_for(std::chrono::milliseconds(120));
  activity.advance(3);
  ASSERT_EQ(reporter.reports.size(), 2U);
  EXPECT_EQ(reporter.reports[1].done, 3U);
  EXPECT_EQ(reporter.reports[1].phase, ProgressPhase::working);
}

TEST(Activity, EndsQuietlyWhenTheReporterFails) {
  RecordingReporter reporter;
  {
    const Activity activity(reporter, "it", ProgressTask::merging);
    reporter.fails = true;
  }
  EXPECT_EQ(reporter.reports.size(), 2U);
}

}  // namespace
}  // namespace berth::base
