#include "cli/console_reporter.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cli/exit_code.hpp"

namespace berth::cli {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

std::string captured(bool quiet, void (*speak)(ConsoleReporter&)) {
  ::testing::internal::CaptureStderr();
  {
    ConsoleReporter reporter(quiet, false);
    speak(reporter);
  }
  return ::testing::internal::GetCapturedStderr();
}

void speak_all(ConsoleReporter& reporter) {
  reporter.step("checking out");
  reporter.progress({"abc", "fetching", 0, 2'000'000});
  reporter.progress({"abc", "fetching", 1'000'000, 2'000'000});
  reporter.progress({"abc", "done", 2'000'000, 2'000'000});
  reporter.warning("careful");
}

TEST(ConsoleReporter, PlainLinesWithoutATerminal) {
  EXPECT_EQ(captured(false, speak_all),
            "checking out\nlayer abc: fetching (2.0 MB)\nlayer abc: done (2.0 MB)\nwarning: careful\n");
}

TEST(ConsoleReporter, QuietStillWarns) {
  EXPECT_EQ(captured(true, speak_all), "warning: careful\n");
}

TEST(ConsoleReporter, NamesFromOutsideCannotSpeakToTheTerminal) {
  EXPECT_THAT(captured(false, [](ConsoleReporter& reporter) { reporter.step("evil \033]0;title\007"); }),
              Not(HasSubstr("\033")));
}

TEST(ExitCode, EveryKindHasItsOwn) {
  EXPECT_EQ(exit_code(base::ErrorKind::failed), 1);
  EXPECT_EQ(exit_code(base::ErrorKind::usage), 2);
  EXPECT_EQ(exit_code(base::ErrorKind::not_found), 3);
  EXPECT_EQ(exit_code(base::ErrorKind::conflict), 4);
  EXPECT_EQ(exit_code(base::ErrorKind::not_permitted), 5);
  EXPECT_EQ(exit_code(base::ErrorKind::verification), 6);
  EXPECT_EQ(exit_code(base::ErrorKind::start_failed), 7);
  EXPECT_EQ(exit_code(base::ErrorKind::interrupted), 130);
}

}  // namespace
}  // namespace berth::cli
