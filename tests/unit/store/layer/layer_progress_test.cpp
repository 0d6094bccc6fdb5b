// SPDX-License-Identifier: LGPL-2.1-or-later
#include "store/layer/layer_progress.hpp"

#include <gtest/gtest.h>

#include "base/error.hpp"
#include "packed.hpp"
#include "store/fakes.hpp"

namespace berth::store {
namespace {

using namespace testing;  // NOLINT(google-build-using-namespace): test helpers of the store
using test::drain;

TEST(ProgressStream, LimitsReportsAndPassesBytesOn) {
  RecordingReporter reporter;
  const std::string text(1'000'000, 'x');
  ProgressStream stream(std::make_unique<MemoryStream>(text, 100),
                        {"abc", base::ProgressTask::fetching, 0, text.size()}, reporter, {});
  EXPECT_EQ(drain(stream, 100), text);
  ASSERT_GE(reporter.progresses.size(), 1U);
  EXPECT_LT(reporter.progresses.size(), 100U);
  EXPECT_EQ(reporter.progresses[0].id, "abc");
  EXPECT_EQ(reporter.progresses[0].task, base::ProgressTask::fetching);
  EXPECT_EQ(reporter.progresses[0].done, 0U);
  EXPECT_EQ(reporter.progresses[0].total, text.size());
}

TEST(ProgressStream, StopsOnRequest) {
  RecordingReporter reporter;
  std::stop_source stop;
  ProgressStream stream(std::make_unique<MemoryStream>("text"), {}, reporter, stop.get_token());
  stop.request_stop();
  EXPECT_THROW(drain(stream), base::Interrupted);
}

}  // namespace
}  // namespace berth::store
