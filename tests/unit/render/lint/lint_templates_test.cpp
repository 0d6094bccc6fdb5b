// SPDX-License-Identifier: LGPL-2.1-or-later
#include "render/lint/lint_templates.hpp"

#include "render/lint/findings.hpp"

namespace berth::render {
namespace {

using base::Severity;
using test::codes;
using test::only;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class LintTemplates : public testing::Test {
 protected:
  LintTemplates() {
    exports_.present = true;
    input_.exports = &exports_;
    input_.names = {"manifest.json", "service.template"};
    input_.tool.name = "web";
    input_.tool.runtime = "/usr/bin/runc";
  }
  void manifest(const std::string& text) {
    test::Listener listener;
    input_.manifest = text;
    exports_.manifest = parse_exports_manifest(text, listener);
  }
  void host_entry(const std::string& path, HostEntryKind kind = HostEntryKind::file) {
    HostEntry entry;
    entry.path = path;
    entry.kind = kind;
    exports_.host_entries.push_back(entry);
  }

  Exports exports_;
  LintInput input_;
};

TEST_F(LintTemplates, ReportsUnreadFiles) {
  manifest(R"({"version": "1.0"})");
  input_.names = {"config.json", "config.json.template", "hostfs", "manifest.json", "services.template"};
  const auto findings = check_names(input_);
  EXPECT_EQ(only(findings, "unknown-file").file, "exports/services.template");
  EXPECT_EQ(only(findings, "ignored-template").file, "exports/config.json.template");
  EXPECT_EQ(findings.size(), 2U);
}

TEST_F(LintTemplates, ReportsAMissingManifestOrVersion) {
  input_.names = {"service.template"};
  EXPECT_THAT(codes(check_names(input_)), ElementsAre("no-manifest"));
  input_.names = {"manifest.json"};
  manifest("{}");
  EXPECT_THAT(codes(check_names(input_)), ElementsAre("no-version"));
}

TEST_F(LintTemplates, ReportsNothingForTemplatesThatRender) {
  manifest(R"({"version": "1.0", "defaultValues": {"PORT": "80"}})");
  exports_.config_template = R"({"args": ["$PORT", "$NAME"], "all": [$ALL_PROCESS_CAPABILITIES]})";
  exports_.service_template = "[Service]\nExecStart=$EXEC_START\n";
  const auto report = check_templates(input_);
  EXPECT_THAT(report.findings, IsEmpty());
  EXPECT_THAT(report.stand_ins, IsEmpty());
  EXPECT_THAT(check_manifest(input_), IsEmpty());
}

TEST_F(LintTemplates, ReportsAVariableWithoutDefaultOnceAndGivesItAPlaceholder) {
  exports_.config_template = "{\n\"a\": \"$TOKEN\",\n\"b\": $COUNT,\n\"c\": \"$TOKEN\"}";
  const auto report = check_templates(input_);
  ASSERT_EQ(report.findings.size(), 2U);
  EXPECT_EQ(report.findings[0].code, "no-default");
  EXPECT_EQ(report.findings[0].severity, Severity::warning);
  EXPECT_EQ(report.findings[0].line, 2U);
  EXPECT_THAT(report.findings[0].message, HasSubstr("--set TOKEN="));
  EXPECT_EQ(report.findings[1].line, 3U);
  EXPECT_EQ(report.stand_ins, (Values{{"COUNT", "1"}, {"TOKEN", "1"}}));
}

TEST_F(LintTemplates, AcceptsASetVariable) {
  exports_.config_template = "{\"a\": \"$TOKEN\"}";
  input_.set = {{"TOKEN", "secret"}};
  EXPECT_THAT(check_templates(input_).findings, IsEmpty());
}

TEST_F(LintTemplates, SuggestsTheVariableForAMisspelledOne) {
  exports_.service_template = "[Service]\nExecStart=$EXEC_STRAT\n";
  const auto finding = only(check_templates(input_).findings, "unknown-variable");
  EXPECT_EQ(finding.severity, Severity::error);
  EXPECT_EQ(finding.line, 2U);
  EXPECT_THAT(finding.hint, HasSubstr("$EXEC_START"));
}

TEST_F(LintTemplates, ReportsATemplateThatIsInvalidJsonWithAnyValue) {
  exports_.config_template = "{\n\"a\": \"$TOKEN\",\n}";
  const auto finding = only(check_templates(input_).findings, "template");
  EXPECT_EQ(finding.file, "exports/config.json.template");
  EXPECT_EQ(finding.line, 3U);
  EXPECT_THAT(finding.message, HasSubstr("not valid JSON"));
}

TEST_F(LintTemplates, ReportsALoneDollar) {
  exports_.tmpfiles_template = "d /run/x\nd /run/$\n";
  const auto finding = only(check_templates(input_).findings, "template");
  EXPECT_EQ(finding.file, "exports/tmpfiles.template");
  EXPECT_EQ(finding.line, 2U);
}

TEST_F(LintTemplates, ChecksHostTemplatesAndRenamedPaths) {
  manifest("{\"version\": \"1.0\",\n\"renameFiles\": {\"/etc/a\":\n\"/etc/${PLACE}\"}}");
  host_entry("etc/a");
  input_.host_templates = {{"etc/b", "line\n$OTHER_THING\n"}};
  const auto findings = check_templates(input_).findings;
  ASSERT_EQ(findings.size(), 2U);
  EXPECT_EQ(findings[0].file, "exports/hostfs/etc/b");
  EXPECT_EQ(findings[0].line, 2U);
  EXPECT_EQ(findings[1].file, "exports/manifest.json");
  EXPECT_EQ(findings[1].line, 3U);
}

TEST_F(LintTemplates, ReportsDefaultsWithoutUseOrEffect) {
  manifest(
      "{\"version\": \"1.0\", \"defaultValues\": {\n\"UNUSED\": \"\",\n\"CONF_DIRECTORY\": \"/etc\",\n"
      "\"UUID\": \"1\", \"PORT\": \"80\"}}");
  exports_.service_template = "$PORT $UUID $CONF_DIRECTORY";
  const auto findings = check_manifest(input_);
  EXPECT_EQ(only(findings, "unused-default").line, 2U);
  EXPECT_EQ(only(findings, "default-without-effect").line, 3U);
  EXPECT_EQ(findings.size(), 2U);
}

TEST_F(LintTemplates, ReportsPathsThatMatchNoHostFile) {
  manifest(R"({"version": "1.0", "installedFilesTemplate": ["/etc/a", "/etc/none"],
               "renameFiles": {"/etc/a": "/etc/c", "/etc": "/srv", "/usr/none": "/x"}})");
  host_entry("etc", HostEntryKind::directory);
  host_entry("etc/a");
  const auto findings = check_manifest(input_);
  ASSERT_THAT(codes(findings), ElementsAre("no-such-host-file", "no-such-host-file"));
  EXPECT_THAT(findings[0].message, HasSubstr("/etc/none"));
  EXPECT_THAT(findings[1].message, HasSubstr("/usr/none"));
  EXPECT_EQ(findings[1].line, 2U);
}

}  // namespace
}  // namespace berth::render
