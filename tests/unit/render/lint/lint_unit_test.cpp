// SPDX-License-Identifier: LGPL-2.1-or-later
#include "render/lint/lint_unit.hpp"

#include "render/lint/findings.hpp"

namespace berth::render {
namespace {

using base::Severity;
using test::codes;
using test::only;
using testing::ElementsAre;
using testing::IsEmpty;

constexpr const char* good_unit =
    "[Unit]\nDescription=x\n[Service]\nType=forking\nPIDFile=$PIDFILE\nExecStart=$EXEC_START\nExecStop=$EXEC_STOP\n"
    "ExecStopPost=$EXEC_STOPPOST\nWorkingDirectory=$DESTDIR\n[Install]\nWantedBy=multi-user.target\n";

std::string without(std::string text, const std::string& line) {
  const auto at = text.find(line);
  EXPECT_NE(at, std::string::npos);
  return text.erase(at, line.size());
}

TEST(LintUnit, AcceptsADetachedUnit) {
  EXPECT_THAT(check_unit_template(good_unit), IsEmpty());
}

TEST(LintUnit, ReportsAUnitThatDoesNotFitTheRuntime) {
  const auto error = [](const std::string& unit, const std::string& code) {
    const auto finding = only(check_unit_template(unit), code);
    return finding.severity == Severity::error ? finding.line : 99;
  };
  EXPECT_EQ(error(without(good_unit, "Type=forking\n"), "detached-type"), 0U);
  EXPECT_EQ(error(without(good_unit, "ExecStopPost=$EXEC_STOPPOST\n"), "forking-in-foreground"), 4U);
  EXPECT_EQ(error(without(good_unit, "WorkingDirectory=$DESTDIR\n"), "no-working-directory"), 6U);
  EXPECT_THAT(codes(check_unit_template(without(good_unit, "[Install]\nWantedBy=multi-user.target\n"))),
              ElementsAre("never-enabled"));
  EXPECT_THAT(codes(check_unit_template("[Service]\nExecStart=/bin/true\n")), ElementsAre("container-not-started"));
  EXPECT_THAT(codes(check_unit_template("[Service]\nType=forking\nWorkingDirectory=$DESTDIR\nExecStart=$EXEC_START\n"
                                        "ExecStopPost=$EXEC_STOPPOST $PIDFILE\n[Install]\n")),
              ElementsAre("no-pid-file", "never-enabled"));
}

TEST(LintUnit, NotesARuntimeInTheForeground) {
  EXPECT_THAT(codes(check_unit_template("[Service]\nExecStart=$EXEC_START\nWorkingDirectory=$DESTDIR\n[Install]\n"
                                        "WantedBy=a.target\n")),
              ElementsAre("foreground-runtime"));
}

TEST(LintUnit, OnlyWarnsWhereTheServiceMayWork) {
  const auto severity = [](const std::string& unit, const std::string& code) {
    return only(check_unit_template(unit), code).severity;
  };
  const std::string wrapped = "[Service]\nType=forking\nExecStart=/bin/sh -c 'cd $DESTDIR && $EXEC_START &'\n";
  EXPECT_EQ(severity(wrapped, "forking-in-foreground"), Severity::warning);
  EXPECT_EQ(severity(wrapped, "no-working-directory"), Severity::warning);
  auto remaining = without(good_unit, "Type=forking\n");
  remaining.insert(remaining.find("ExecStop="), "RemainAfterExit=yes\n");
  EXPECT_EQ(severity(remaining, "detached-type"), Severity::warning);
}

TEST(LintUnit, ListsTheDirectoriesThatAUnitCreates) {
  EXPECT_THAT(directories_of_unit(
                  "[Service]\nRuntimeDirectory=a  \"b/c\"\nStateDirectory=d\nUser=x\n[Unit]\nLogsDirectory=e\n"),
              ElementsAre("/run/a", "/run/b/c", "/var/lib/d"));
}

}  // namespace
}  // namespace berth::render
