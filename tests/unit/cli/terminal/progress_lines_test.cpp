// SPDX-License-Identifier: LGPL-2.1-or-later
#include "cli/terminal/progress_lines.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cli/terminal/terminal.hpp"

namespace berth::cli {
namespace {

using base::ProgressUnit;
using std::chrono::milliseconds;
using std::chrono::seconds;

ProgressLine layer() {
  return {"0123456789ab", "fetching", 12'300'000, 45'600'000, ProgressUnit::bytes, 1'200'000, seconds(10)};
}

TEST(FormatProgress, OmitsTheLeastImportantPartsFirst) {
  const auto line = layer();
  EXPECT_EQ(format_progress(line, 100),
            "0123456789ab  fetching   [#####...............]   27%  12.3 MB of 45.6 MB  1.2 MB/s  0:27 left");
  EXPECT_EQ(format_progress(line, 80), "0123456789ab  fetching    27%  12.3 MB of 45.6 MB  1.2 MB/s  0:27 left");
  EXPECT_EQ(format_progress(line, 60), "0123456789ab   27%  12.3 MB of 45.6 MB  0:27 left");
  EXPECT_EQ(format_progress(line, 30), "0123456789ab   27%  0:27 left");
  EXPECT_EQ(format_progress(line, 20), "0123456789ab   27%");
  EXPECT_EQ(format_progress(line, 5), " 27%");
  EXPECT_EQ(format_progress(line, 2), " …");
  EXPECT_EQ(format_progress(line, 0), "");
}

TEST(FormatProgress, IsNeverWiderThanTheTerminal) {
  auto wide = layer();
  wide.name = "registry.example/日本語/e\u0301tcd:3";
  auto unknown = wide;
  unknown.total = 0;
  for (std::size_t columns = 0; columns < 130; ++columns) {
    for (const auto& line : {layer(), wide, unknown}) {
      EXPECT_LE(columns_of(format_progress(line, columns)), columns);
    }
  }
}

TEST(FormatProgress, ShowsTheElapsedTimeWithoutATotal) {
  ProgressLine line{"etcd.service", "starting", 0, 0, ProgressUnit::bytes, 0, seconds(12)};
  EXPECT_EQ(format_progress(line, 80), "etcd.service  starting   0:12");
  line = {"checkout", "writing", 1200, 0, ProgressUnit::files, 600, seconds(2)};
  EXPECT_EQ(format_progress(line, 80), "checkout  writing    1200 files  600/s  0:02");
  EXPECT_EQ(format_amount(1, 0, ProgressUnit::files), "1 file");
  EXPECT_EQ(format_amount(1, 2, ProgressUnit::objects), "1 of 2 objects");
}

TEST(FormatProgress, TreatsMoreThanTheTotalAsComplete) {
  auto line = layer();
  line.done = 2 * line.total;
  EXPECT_THAT(format_progress(line, 40), ::testing::HasSubstr("100%"));
}

TEST(FormatProgress, HasNoForecastWithoutProgress) {
  auto line = layer();
  line.rate = 0;
  EXPECT_EQ(format_progress(line, 70), "0123456789ab  fetching    27%  12.3 MB of 45.6 MB");
}

TEST(FormatDuration, ShowsMinutesAndHours) {
  EXPECT_EQ(format_duration(seconds(7)), "0:07");
  EXPECT_EQ(format_duration(seconds(723)), "12:03");
  EXPECT_EQ(format_duration(seconds(3723)), "1:02:03");
}

TEST(RateMeter, AveragesTheLastSeconds) {
  RateMeter meter;
  const RateMeter::Time start{};
  EXPECT_EQ(meter.rate(), 0);
  meter.add(start, 1000);
  EXPECT_EQ(meter.rate(), 0);
  for (int i = 1; i <= 20; ++i) {
    meter.add(start + milliseconds(250 * i), 1000U + 250U * static_cast<unsigned>(i));
  }
  EXPECT_NEAR(meter.rate(), 1000, 1);
  for (int i = 21; i <= 60; ++i) {
    meter.add(start + milliseconds(250 * i), 6000);
  }
  EXPECT_EQ(meter.rate(), 0) << "a stalled line is not fast because it was once";
}

TEST(RateMeter, RestartsWhenTheWorkStartsOver) {
  RateMeter meter;
  const RateMeter::Time start{};
  meter.add(start, 5000);
  meter.add(start + seconds(1), 9000);
  meter.add(start + seconds(2), 10);
  EXPECT_EQ(meter.rate(), 0);
}

}  // namespace
}  // namespace berth::cli
