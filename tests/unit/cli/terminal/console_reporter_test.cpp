// SPDX-License-Identifier: LGPL-2.1-or-later
#include "cli/terminal/console_reporter.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sstream>

#include "base/json.hpp"
#include "cli/terminal/exit_code.hpp"
#include "golden_json.hpp"

namespace berth::cli {
namespace {

using base::ProgressPhase;
using base::ProgressTask;
using ::testing::HasSubstr;
using ::testing::Not;

std::string captured(ProgressMode mode, bool quiet, void (*speak)(ConsoleReporter&)) {
  ::testing::internal::CaptureStderr();
  {
    ConsoleReporter reporter(mode, quiet, false);
    speak(reporter);
  }
  return ::testing::internal::GetCapturedStderr();
}

void speak_all(ConsoleReporter& reporter) {
  reporter.step("checking out");
  reporter.progress({"old", ProgressTask::present, 5, 5, ProgressPhase::done});
  reporter.progress({"abc", ProgressTask::fetching, 0, 2'000'000, ProgressPhase::waiting});
  reporter.progress({"abc", ProgressTask::fetching, 0, 2'000'000});
  reporter.progress({"abc", ProgressTask::fetching, 1'000'000, 2'000'000});
  reporter.progress({"abc", ProgressTask::fetching, 2'000'000, 2'000'000, ProgressPhase::done});
  reporter.progress({"web", ProgressTask::resolving, 0, 0});
  reporter.progress({"web", ProgressTask::resolving, 0, 0, ProgressPhase::done});
  reporter.warning("careful");
  reporter.warning("careful");  // printed once
  reporter.error(base::Error(base::ErrorKind::conflict, "taken", "choose another"));
}

TEST(ConsoleReporter, PrintsAPlainLineForEachFinishedLayer) {
  EXPECT_EQ(captured(ProgressMode::plain, false, speak_all),
            "checking out\nabc: fetched (2.0 MB)\nwarning: careful\nberth: taken\nhint: choose another\n");
}

TEST(ConsoleReporter, PrintsWarningsInQuietMode) {
  for (const auto mode : {ProgressMode::plain, ProgressMode::terminal, ProgressMode::none}) {
    EXPECT_EQ(captured(mode, true, speak_all), "warning: careful\nberth: taken\nhint: choose another\n");
  }
}

TEST(ConsoleReporter, PrintsStepsWithoutProgress) {
  EXPECT_EQ(captured(ProgressMode::none, false, speak_all),
            "checking out\nwarning: careful\nberth: taken\nhint: choose another\n");
}

TEST(ConsoleReporter, PrintsEverythingAsJsonLines) {
  std::istringstream text(captured(ProgressMode::json, false, speak_all));
  std::vector<base::Json> lines;
  for (std::string line; std::getline(text, line);) {
    lines.push_back(base::parse_json(line, "a line"));
  }
  // The line in the middle is printed only if enough time has passed since the last one, which depends on the machine.
  std::erase_if(lines, [](const base::Json& line) { return line.value("done", 0) == 1'000'000; });
  ASSERT_EQ(lines.size(), 9U);
  test::expect_golden("progress-step", lines[0]);
  test::expect_golden("progress", lines[3]);
  EXPECT_EQ(lines[4].at("phase"), "done");
  test::expect_golden("progress-warning", lines[7]);
  test::expect_golden("progress-error", lines[8]);
}

TEST(ConsoleReporter, PrintsOnlyWarningsAndErrorsInQuietJsonMode) {
  EXPECT_EQ(captured(ProgressMode::json, true, speak_all),
            R"({"type":"warning","message":"careful"})"
            "\n"
            R"({"type":"error","message":"taken","hint":"choose another","exitCode":4})"
            "\n");
}

TEST(ConsoleReporter, ReplacesControlCharactersInNames) {
  const auto speak = [](ConsoleReporter& reporter) {
    reporter.step("evil \033]0;title\007");
    reporter.progress({"evil\033[2J", ProgressTask::fetching, 0, 7});
    reporter.progress({"evil\033[2J", ProgressTask::fetching, 7, 7, ProgressPhase::done});
    reporter.error(base::Error(base::ErrorKind::failed, "two\nlines \033[0m"));
  };
  for (const auto mode : {ProgressMode::plain, ProgressMode::json}) {
    EXPECT_THAT(captured(mode, false, speak), Not(HasSubstr("\033")));
  }
}

TEST(ConsoleReporter, ShowsNoLiveLinesForShortWork) {
  EXPECT_THAT(captured(ProgressMode::terminal, false, speak_all), Not(HasSubstr("\033")));
}

TEST(ConsoleReporter, ShowsDetailsBetweenMessageAndHint) {
  const auto speak = [](ConsoleReporter& reporter) {
    reporter.error({base::ErrorKind::failed, "it failed", "see the journal", "last lines:\n  \033[1mone\n"});
  };
  EXPECT_EQ(captured(ProgressMode::plain, false, speak),
            "berth: it failed\n  last lines:\n    ?[1mone\nhint: see the journal\n");
  EXPECT_THAT(captured(ProgressMode::json, false, speak), HasSubstr(R"("details":"last lines:\n)"));
}

TEST(ConsoleReporter, ReportsAnInterruption) {
  const auto speak = [](ConsoleReporter& reporter) { reporter.interrupted(base::Interrupted("run: berth recover")); };
  EXPECT_EQ(captured(ProgressMode::plain, false, speak), "berth: interrupted\nhint: run: berth recover\n");
  EXPECT_EQ(captured(ProgressMode::json, false, speak),
            R"({"type":"error","message":"interrupted","hint":"run: berth recover","exitCode":130})"
            "\n");
}

TEST(ProgressMode, IsParsed) {
  EXPECT_EQ(parse_progress_mode("tty"), ProgressMode::terminal);
  EXPECT_EQ(parse_progress_mode("plain"), ProgressMode::plain);
  EXPECT_EQ(parse_progress_mode("json"), ProgressMode::json);
  EXPECT_EQ(parse_progress_mode("none"), ProgressMode::none);
  try {
    parse_progress_mode("loud");
    FAIL();
  } catch (const base::Error& error) {
    EXPECT_EQ(error.kind(), base::ErrorKind::usage);
    EXPECT_THAT(error.hint(), HasSubstr("auto, tty, plain, json or none"));
  }
}

TEST(ExitCode, DiffersByKindOfError) {
  EXPECT_EQ(exit_code(base::ErrorKind::failed), 1);
  EXPECT_EQ(exit_code(base::ErrorKind::usage), 2);
  EXPECT_EQ(exit_code(base::ErrorKind::not_found), 3);
  EXPECT_EQ(exit_code(base::ErrorKind::conflict), 4);
  EXPECT_EQ(exit_code(base::ErrorKind::not_permitted), 5);
  EXPECT_EQ(exit_code(base::ErrorKind::verification), 6);
  EXPECT_EQ(exit_code(base::ErrorKind::start_failed), 7);
}

}  // namespace
}  // namespace berth::cli
