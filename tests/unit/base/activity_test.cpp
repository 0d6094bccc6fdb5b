#include "base/activity.hpp"

#include <gtest/gtest.h>

#include <stdexcept>
#include <thread>
#include <vector>

namespace berth::base {
namespace {

class Ears final : public Reporter {
 public:
  void step(std::string_view /*sentence*/) override {}
  void progress(const Progress& progress) override {
    heard.push_back(progress);
    if (deaf) {
      throw std::runtime_error("deaf");
    }
  }
  void warning(std::string_view /*sentence*/) override {}

  std::vector<Progress> heard;
  bool deaf = false;
};

TEST(Activity, IsWorkingWhileItLivesAndDoneAtItsEnd) {
  Ears ears;
  {
    const Activity activity(ears, "it", ProgressTask::merging);
    ASSERT_EQ(ears.heard.size(), 1U);
    EXPECT_EQ(ears.heard[0].id, "it");
    EXPECT_EQ(ears.heard[0].task, ProgressTask::merging);
    EXPECT_EQ(ears.heard[0].phase, ProgressPhase::working);
  }
  ASSERT_EQ(ears.heard.size(), 2U);
  EXPECT_EQ(ears.heard[1].phase, ProgressPhase::done);
}

TEST(Activity, CountsTheWorkOfSeveralThreadsAndReportsSeldom) {
  Ears ears;
  {
    Activity activity(ears, "it", ProgressTask::checking, ProgressUnit::files, 2000);
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
  EXPECT_EQ(ears.heard.back().done, 2000U);
  EXPECT_EQ(ears.heard.back().total, 2000U);
  EXPECT_EQ(ears.heard.back().unit, ProgressUnit::files);
  EXPECT_LT(ears.heard.size(), 100U);
}

TEST(Activity, ReportsAgainAfterAWhile) {
  Ears ears;
  Activity activity(ears, "it", ProgressTask::checking, ProgressUnit::files);
  std::this_thread::sleep_for(std::chrono::milliseconds(120));
  activity.advance(3);
  ASSERT_EQ(ears.heard.size(), 2U);
  EXPECT_EQ(ears.heard[1].done, 3U);
  EXPECT_EQ(ears.heard[1].phase, ProgressPhase::working);
}

TEST(Activity, EndsQuietlyWhenTheReporterFails) {
  Ears ears;
  {
    const Activity activity(ears, "it", ProgressTask::merging);
    ears.deaf = true;
  }
  EXPECT_EQ(ears.heard.size(), 2U);
}

}  // namespace
}  // namespace berth::base
