// SPDX-License-Identifier: LGPL-2.1-or-later
#include "ops/author/lint.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "base/scope_exit.hpp"
#include "base/temp_directory.hpp"
#include "ops/author/author_test.hpp"

namespace berth::ops {
namespace {

using base::ErrorKind;
using base::Severity;
using base::test::error_of;
using test::codes;
using test::unit;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

class Lint : public test::AuthorTest {};

TEST_F(Lint, GoodTemplatesHaveNoFindings) {
  const auto report = lint_directory();
  EXPECT_THAT(codes(report), IsEmpty());
  EXPECT_EQ(report.directory, directory_ / "web/exports");
}

TEST_F(Lint, AcceptsTheDirectoryThatContainsExports) {
  EXPECT_EQ(lint_of(directory_ / "web/").directory, directory_ / "web/exports");
}

TEST_F(Lint, ChecksTheRootFileSystemForTheProgramAndForHelp) {
  std::filesystem::create_directories(directory_ / "web/bin");
  EXPECT_THAT(codes(lint_of(directory_ / "web")), ElementsAre("no-such-program", "no-help"));
  std::ofstream(directory_ / "web/bin/server") << "x";
  std::ofstream(directory_ / "web/help.1") << "x";
  EXPECT_THAT(codes(lint_of(directory_ / "web")), IsEmpty());
}

TEST_F(Lint, ReportsMessagesOfSystemdWithTheirLines) {
  put("service.template", std::string(unit) + "\n[Service]\nRetart=always\nRestart=sometimes\nNonsense\n");
  const auto report = lint_directory();
  ASSERT_THAT(codes(report), ElementsAre("unit", "unit", "unit"));
  EXPECT_EQ(report.findings[0].line, 14U);
  EXPECT_THAT(report.findings[0].message, HasSubstr("Retart"));
  EXPECT_EQ(report.findings[1].line, 15U);
  EXPECT_EQ(report.findings[2].line, 16U);
  EXPECT_EQ(report.findings[2].severity, Severity::warning);
}

TEST_F(Lint, AUnitThatSystemdDoesNotLoadIsAnError) {
  put("service.template", std::string(unit) + "[Service]\nExecStartPre=relative/path\n");
  const auto report = lint_directory();
  ASSERT_THAT(codes(report), ElementsAre("unit", "privilege-over-host", "unit"));
  EXPECT_EQ(report.findings[0].severity, Severity::error);
  EXPECT_EQ(report.findings[2].line, 13U);
}

TEST_F(Lint, AUnitThatSystemdRefusesAsAWholeIsAnError) {
  put("service.template", std::string(unit) + "[Service]\nExecStart=/bin/true\n");
  const auto findings = lint_directory().findings;
  EXPECT_THAT(findings, Contains(::testing::AllOf(::testing::Field(&base::Finding::code, "unit"),
                                                  ::testing::Field(&base::Finding::line, 0U),
                                                  ::testing::Field(&base::Finding::severity, Severity::error))));
}

TEST_F(Lint, ASettingThatSystemdIgnoresIsAWarning) {
  for (const std::string setting : {"ReadWritePaths=relative", "Restart=sometimes", "StateDirectory=/absolute"}) {
    put("service.template", std::string(unit) + "[Service]\n" + setting + "\n");
    EXPECT_THAT(lint_directory().findings,
                Contains(::testing::AllOf(::testing::Field(&base::Finding::code, "unit"),
                                          ::testing::Field(&base::Finding::severity, Severity::warning))))
        << setting;
  }
}

TEST_F(Lint, WhetherAProgramExistsOnThisMachineIsNoFinding) {
  for (const std::string program : {"/no/such", "no-such", "/no/%N", "no-such-%N", "@/no/such x"}) {
    put("service.template", std::string(unit) + "[Service]\nExecStartPre=" + program + " --option\n");
    EXPECT_THAT(codes(lint_directory()), Not(Contains("unit"))) << program;
  }
}

TEST_F(Lint, TheEnvironmentDoesNotChangeHowMessagesOfSystemdAreRead) {
  put("service.template", std::string(unit) + "[Service]\nRestart=sometimes\n");
  for (const auto* variable : {"SYSTEMD_LOG_TIME", "SYSTEMD_LOG_LOCATION"}) {
    ::setenv(variable, "1", 1);
    const base::ScopeExit unset([variable]() noexcept { ::unsetenv(variable); });
    EXPECT_THAT(codes(lint_directory()), ElementsAre("unit")) << variable;
  }
}

TEST_F(Lint, ReportsEveryFileThatCannotBeUsed) {
  put("manifest.json", "{\n\"version\": 1,,\n}");
  std::filesystem::remove(directory_ / "web/exports/service.template");
  std::filesystem::create_symlink("/etc/passwd", directory_ / "web/exports/service.template");
  put("tmpfiles.template", "d /run/$\n");
  const auto report = lint_directory();
  ASSERT_THAT(codes(report), ElementsAre("no-default", "refused", "refused", "template"));
  EXPECT_EQ(report.findings[0].file, "exports/config.json.template");
  EXPECT_EQ(report.findings[1].file, "exports/manifest.json");
  EXPECT_EQ(report.findings[1].line, 2U);
  EXPECT_EQ(report.findings[2].file, "exports/service.template");
  EXPECT_EQ(report.findings[3].line, 1U);
}

TEST_F(Lint, AConfigurationThatAnInstallRefusesIsAnError) {
  put("config.json.template",
      "{\"ociVersion\": \"1.0.2\", \"root\": {\"path\": \"rootfs\"}, \"process\": {\"args\": "
      "[\"$PORT\"], \"cwd\": \"/\"}}");
  const auto report = lint_directory();
  ASSERT_THAT(codes(report), ElementsAre("refused"));
  EXPECT_EQ(report.findings[0].file, "exports/config.json.template");
  EXPECT_THAT(report.findings[0].message, HasSubstr("root"));
  EXPECT_THAT(report.findings[0].hint, HasSubstr("readonly"));
}

TEST_F(Lint, TmpfilesLinesAreCheckedWhenRendered) {
  put("tmpfiles.template", "d ${STATE_DIRECTORY}/$NAME 0700\nk $RUN_DIRECTORY/x\n");
  const auto report = lint_directory();
  ASSERT_THAT(codes(report), Contains("tmpfiles-syntax"));
  EXPECT_EQ(report.findings.back().line, 2U);
}

TEST_F(Lint, UnknownKeysAreWarnings) {
  put("manifest.json", R"({"version": "1.0", "defaultValues": {"PORT": "80"}, "healthcheck": {}})");
  EXPECT_THAT(codes(lint_directory()), ElementsAre("manifest", "no-health-check"));
}

TEST_F(Lint, UsesTheValuesOfSet) {
  put("manifest.json", R"({"version": "1.0", "healthCheck": {"command": "true"}})");
  EXPECT_THAT(codes(lint_directory()), ElementsAre("no-default"));
  EXPECT_THAT(codes(lint_of(directory_ / "web/exports", {"PORT=1"})), IsEmpty());
  EXPECT_EQ(error_of([&] { lint_of(directory_ / "web/exports", {"NAME=x"}); }).kind(), ErrorKind::usage);
}

TEST_F(Lint, ReportsAnImageWithoutExports) {
  test::ImageSpec spec;
  spec.config = R"({"Cmd": ["/bin/true"]})";
  EXPECT_THAT(codes(lint_of(machine_.image("plain", spec))), Contains("no-exports"));
}

}  // namespace
}  // namespace berth::ops
