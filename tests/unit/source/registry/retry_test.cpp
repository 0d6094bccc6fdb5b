// SPDX-License-Identifier: LGPL-2.1-or-later
#include "source/registry/retry.hpp"

#include <gmock/gmock.h>

#include <stop_token>
#include <thread>

#include "failure.hpp"
#include "source/recording_reporter.hpp"

namespace berth::source {
namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

TEST(Retry, DoublesTheWaitAndReportsTheReason) {
  test::RecordingReporter reporter;
  SourceOptions options;
  options.retries = 2;
  options.retry_delay = 20ms;
  options.reporter = &reporter;
  Retry retry(options);
  ASSERT_TRUE(retry.left());
  auto start = Clock::now();
  retry.wait("it broke");
  EXPECT_GE(Clock::now() - start, 15ms);
  start = Clock::now();
  retry.wait("again");
  EXPECT_GE(Clock::now() - start, 30ms);
  EXPECT_FALSE(retry.left());
  retry.reset();
  EXPECT_TRUE(retry.left());
  ASSERT_EQ(reporter.warnings().size(), 2U);
  EXPECT_THAT(reporter.warnings()[0], testing::MatchesRegex("it broke; trying again in .* s \\(1 of 2\\)"));
}

TEST(Retry, HonoursRetryAfter) {
  test::RecordingReporter reporter;
  SourceOptions options;
  options.retry_delay = 1ms;
  options.reporter = &reporter;
  const auto start = Clock::now();
  Retry(options).wait("x", 1s);
  EXPECT_GE(Clock::now() - start, 1s);
}

TEST(Retry, StopsWithoutWaiting) {
  test::RecordingReporter reporter;
  std::stop_source stop;
  SourceOptions options;
  options.retry_delay = 30s;
  options.reporter = &reporter;
  options.stop = stop.get_token();
  std::jthread stopper([&] {
    std::this_thread::sleep_for(50ms);
    stop.request_stop();
  });
  const auto start = Clock::now();
  EXPECT_THROW(Retry(options).wait("x"), base::Interrupted);
  EXPECT_LT(Clock::now() - start, 25s);
}

TEST(IsTransient, DependsOnTheFailure) {
  const auto transient = [](HttpFailure failure, bool reached) { return is_transient({failure, "x"}, reached); };
  EXPECT_TRUE(transient(HttpFailure::unreachable, false));
  EXPECT_TRUE(transient(HttpFailure::broken, false));
  EXPECT_TRUE(transient(HttpFailure::unavailable, false));
  EXPECT_FALSE(transient(HttpFailure::unknown_host, false));
  EXPECT_TRUE(transient(HttpFailure::unknown_host, true));
  for (const auto failure :
       {HttpFailure::tls, HttpFailure::untrusted, HttpFailure::not_http, HttpFailure::redirect, HttpFailure::other}) {
    EXPECT_FALSE(transient(failure, true));
  }
}

}  // namespace
}  // namespace berth::source
