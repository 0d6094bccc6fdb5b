#include "render/lint/lint.hpp"
#include "render/spec/host_places.hpp"

#include <algorithm>

#include "render/support.hpp"

namespace berth::render {

using base::Finding;
using base::Findings;
using base::Severity;
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

std::vector<std::string> codes(const Findings& findings) {
  std::vector<std::string> result;
  for (const auto& finding : findings) {
    result.push_back(finding.code);
  }
  return result;
}

/// The finding with this code; fails the test when there is not exactly one.
Finding only(const Findings& findings, const std::string& code) {
  Findings found;
  std::copy_if(findings.begin(), findings.end(), std::back_inserter(found),
               [&](const Finding& one) { return one.code == code; });
  EXPECT_EQ(found.size(), 1U) << code << " among " << testing::PrintToString(codes(findings));
  return found.empty() ? Finding{} : found.front();
}

class Lint : public testing::Test {
 protected:
  Lint() {
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
  void host_entry(const std::string& path, HostEntryKind kind = HostEntryKind::file, mode_t mode = 0644,
                  const std::string& target = "") {
    HostEntry entry;
    entry.path = path;
    entry.kind = kind;
    entry.mode = mode;
    entry.link_target = target;
    exports_.host_entries.push_back(entry);
  }

  Exports exports_;
  LintInput input_;
};

TEST_F(Lint, LinesAreCountedFromOne) {
  EXPECT_EQ(line_of("a\nb\nc", "a"), 1U);
  EXPECT_EQ(line_of("a\nb\nc", "c"), 3U);
  EXPECT_EQ(line_of("a\nb\nc", "d"), 0U);
  EXPECT_EQ(line_of("a", ""), 0U);
}

TEST_F(Lint, NamesThatNobodyReads) {
  manifest(R"({"version": "1.0"})");
  input_.names = {"config.json", "config.json.template", "hostfs", "manifest.json", "services.template"};
  const auto findings = check_names(input_);
  EXPECT_EQ(only(findings, "unknown-file").file, "exports/services.template");
  EXPECT_EQ(only(findings, "ignored-template").file, "exports/config.json.template");
  EXPECT_EQ(findings.size(), 2U);
}

TEST_F(Lint, AManifestThatIsNotThereOrHasNoVersion) {
  input_.names = {"service.template"};
  EXPECT_THAT(codes(check_names(input_)), ElementsAre("no-manifest"));
  input_.names = {"manifest.json"};
  manifest("{}");
  EXPECT_THAT(codes(check_names(input_)), ElementsAre("no-version"));
}

TEST_F(Lint, TemplatesThatRenderGiveNothing) {
  manifest(R"({"version": "1.0", "defaultValues": {"PORT": "80"}})");
  exports_.config_template = R"({"args": ["$PORT", "$NAME"], "all": [$ALL_PROCESS_CAPABILITIES]})";
  exports_.service_template = "[Service]\nExecStart=$EXEC_START\n";
  const auto report = check_templates(input_);
  EXPECT_THAT(report.findings, IsEmpty());
  EXPECT_THAT(report.stand_ins, IsEmpty());
  EXPECT_THAT(check_manifest(input_), IsEmpty());
}

TEST_F(Lint, AVariableWithoutDefaultIsToldOnceAndStoodInFor) {
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

TEST_F(Lint, ASetVariableIsNotMissing) {
  exports_.config_template = "{\"a\": \"$TOKEN\"}";
  input_.set = {{"TOKEN", "secret"}};
  EXPECT_THAT(check_templates(input_).findings, IsEmpty());
}

TEST_F(Lint, ASlipIsAnErrorThatNamesWhatWasMeant) {
  exports_.service_template = "[Service]\nExecStart=$EXEC_STRAT\n";
  const auto finding = only(check_templates(input_).findings, "unknown-variable");
  EXPECT_EQ(finding.severity, Severity::error);
  EXPECT_EQ(finding.line, 2U);
  EXPECT_THAT(finding.hint, HasSubstr("$EXEC_START"));
}

TEST_F(Lint, WhatIsNoJsonWhateverTheValueIsAnError) {
  exports_.config_template = "{\n\"a\": \"$TOKEN\",\n}";
  const auto finding = only(check_templates(input_).findings, "template");
  EXPECT_EQ(finding.file, "exports/config.json.template");
  EXPECT_EQ(finding.line, 3U);
  EXPECT_THAT(finding.message, HasSubstr("no valid JSON"));
}

TEST_F(Lint, ALoneDollarIsAnError) {
  exports_.tmpfiles_template = "d /run/x\nd /run/$\n";
  const auto finding = only(check_templates(input_).findings, "template");
  EXPECT_EQ(finding.file, "exports/tmpfiles.template");
  EXPECT_EQ(finding.line, 2U);
}

TEST_F(Lint, HostTemplatesAndNewNamesAreLookedAt) {
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

TEST_F(Lint, DefaultsWithoutUseOrEffect) {
  manifest(
      "{\"version\": \"1.0\", \"defaultValues\": {\n\"UNUSED\": \"\",\n\"CONF_DIRECTORY\": \"/etc\",\n"
      "\"UUID\": \"1\", \"PORT\": \"80\"}}");
  exports_.service_template = "$PORT $UUID $CONF_DIRECTORY";
  const auto findings = check_manifest(input_);
  EXPECT_EQ(only(findings, "unused-default").line, 2U);
  EXPECT_EQ(only(findings, "default-without-effect").line, 3U);
  EXPECT_EQ(findings.size(), 2U);
}

TEST_F(Lint, PathsOfTheManifestThatNameNothing) {
  manifest(R"({"version": "1.0", "installedFilesTemplate": ["/etc/a", "/etc/none"],
               "renameFiles": {"/etc/a": "/etc/c", "/etc": "/srv", "/usr/none": "/x"}})");
  host_entry("etc", HostEntryKind::directory, 0755);
  host_entry("etc/a");
  const auto findings = check_manifest(input_);
  ASSERT_THAT(codes(findings), ElementsAre("no-such-host-file", "no-such-host-file"));
  EXPECT_THAT(findings[0].message, HasSubstr("/etc/none"));
  EXPECT_THAT(findings[1].message, HasSubstr("/usr/none"));
  EXPECT_EQ(findings[1].line, 2U);
}

constexpr const char* good_unit =
    "[Unit]\nDescription=x\n[Service]\nType=forking\nPIDFile=$PIDFILE\nExecStart=$EXEC_START\nExecStop=$EXEC_STOP\n"
    "ExecStopPost=$EXEC_STOPPOST\nWorkingDirectory=$DESTDIR\n[Install]\nWantedBy=multi-user.target\n";

std::string without(std::string text, const std::string& line) {
  const auto at = text.find(line);
  EXPECT_NE(at, std::string::npos);
  return text.erase(at, line.size());
}

TEST(LintUnit, TheDetachedUnitIsRight) {
  EXPECT_THAT(check_unit_template(good_unit), IsEmpty());
}

TEST(LintUnit, WhatDoesNotGoTogether) {
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

TEST(LintUnit, AForegroundUnitIsWorthANote) {
  EXPECT_THAT(codes(check_unit_template("[Service]\nExecStart=$EXEC_START\nWorkingDirectory=$DESTDIR\n[Install]\n"
                                        "WantedBy=a.target\n")),
              ElementsAre("foreground-runtime"));
}

TEST(LintUnit, PowersAreNotesWithTheirLines) {
  const auto findings =
      unit_notes("[Service]\nExecStartPre=/bin/a\n\nExecStartPre=/bin/b --x\n[Install]\nAlias=c.service\n", {});
  ASSERT_EQ(findings.size(), 3U);
  EXPECT_EQ(findings[0].line, 2U);
  EXPECT_EQ(findings[1].line, 4U);
  EXPECT_EQ(findings[2].line, 6U);
  EXPECT_EQ(findings[2].severity, Severity::note);
  EXPECT_EQ(findings[2].code, "privilege-over-host");
}

TEST(LintUnit, DirectoriesThatAUnitMakes) {
  EXPECT_THAT(
      directories_of_unit("[Service]\nRuntimeDirectory=a b/c\nStateDirectory=d\nUser=x\n[Unit]\nLogsDirectory=e\n"),
      ElementsAre("/run/a", "/run/b/c", "/var/lib/d"));
}

TEST(LintTmpfiles, PowersAreNotesWithTheirLines) {
  const auto findings = tmpfiles_notes("d /run/x\n\nd /etc/x\nr /var/lib/y\n");
  ASSERT_EQ(findings.size(), 2U);
  EXPECT_EQ(findings[0].line, 3U);
  EXPECT_EQ(findings[0].code, "privilege-over-host");
  EXPECT_EQ(findings[1].line, 4U);
  EXPECT_EQ(findings[1].code, "privilege");
}

TEST(LintConfig, PowersAreNotesWithTheirLines) {
  const std::string text =
      "{\"process\": {\n\"capabilities\": {\"bounding\": [\"CAP_SYS_ADMIN\"]}},\n\"mounts\": [\n{\"destination\": "
      "\"/host\", \"type\": \"bind\", \"source\": \"/\"}],\n\"linux\": {\"namespaces\": [{\"type\": \"mount\"}]}}";
  const auto findings = config_notes(base::parse_json(text, "c"), "", text, "exports/config.json");
  const auto with = [&](const std::string& word) {
    const auto found = std::find_if(findings.begin(), findings.end(),
                                    [&](const Finding& one) { return one.message.find(word) != std::string::npos; });
    return found == findings.end() ? 99 : found->line;
  };
  EXPECT_EQ(with("powerful capabilities"), 2U);
  EXPECT_EQ(with("binds the host's /"), 4U);
  EXPECT_EQ(with("shares the host's network"), 5U);
}

base::Json config(const std::string& program, const std::string& source) {
  return {{"process", {{"args", {program}}, {"terminal", true}}},
          {"mounts", base::Json::array({{{"destination", "/d"}, {"source", source}, {"options", {"rbind"}}},
                                        {{"destination", "/t"}, {"type", "tmpfs"}, {"source", "tmpfs"}}})}};
}

TEST(LintConfig, WhatImageOrHostLack) {
  test::TemporaryDirectory root;
  root.write("bin/serve", "");
  const auto made = [](const std::string& path) { return path == "/var/lib/made"; };
  const ConfigNeeds needs{"x\n\"/d\"\n\"terminal\"", "exports/config.json", root.fd(), made};
  const auto findings = check_config_needs(config("/bin/missing", "/var/lib/web"), needs);
  EXPECT_THAT(codes(findings), ElementsAre("no-such-program", "terminal", "source-not-made"));
  EXPECT_EQ(findings[1].line, 3U);
  EXPECT_EQ(findings[2].line, 2U);
  EXPECT_THAT(findings[2].message, HasSubstr("/var/lib/web"));
  EXPECT_THAT(codes(check_config_needs(config("/bin/serve", "/var/lib/made"), needs)), ElementsAre("terminal"));
  EXPECT_THAT(codes(check_config_needs(config("serve", "/var/lib/made"), needs)), ElementsAre("terminal"));
}

TEST(LintConfig, UsualPathsOfAHost) {
  for (const char* path : {"/", "/etc/", "/dev/kvm", "/proc/x", "/usr/share/zoneinfo", "/run/systemd/journal/socket"}) {
    EXPECT_TRUE(is_usual_host_path(path)) << path;
  }
  for (const char* path : {"/etc/redhat-release", "/var/lib/etcd", "/devil", "/run/x"}) {
    EXPECT_FALSE(is_usual_host_path(path)) << path;
  }
}

TEST_F(Lint, DangerousHostFiles) {
  host_entry("etc", HostEntryKind::directory, 0777);
  host_entry("etc/shadow");
  host_entry("etc/away", HostEntryKind::link, 0777, "/etc/passwd");
  host_entry("etc/up", HostEntryKind::link, 0777, "../../x");
  host_entry("etc/near", HostEntryKind::link, 0777, "../etc/open");
  host_entry("etc/own", HostEntryKind::link, 0777, "/etc/open");
  host_entry("etc/open", HostEntryKind::file, 0666);
  host_entry("tmp", HostEntryKind::directory, 01777);
  host_entry("usr/bin/su", HostEntryKind::file, 04755);
  const auto findings = check_host_files(exports_, {});
  std::vector<std::string> told;
  for (const auto& finding : findings) {
    told.push_back(finding.code + " " + finding.file.substr(15));
  }
  EXPECT_THAT(told, ElementsAre("world-writable etc", "privilege-over-host etc/shadow", "link-away etc/away",
                                "link-away etc/up", "world-writable etc/open", "privilege-over-host usr/bin/su"));
}

TEST(LintLabels, WhatUsersAreShown) {
  image::ImageConfig config;
  EXPECT_THAT(codes(check_labels(config)), ElementsAre("no-type-label", "missing-labels"));
  config.labels = {{"atomic.type", "system"}, {"summary", "s"}, {"atomic.version", "1"}, {"license", "MIT"}};
  const auto findings = check_labels(config);
  ASSERT_THAT(codes(findings), ElementsAre("missing-labels"));
  EXPECT_THAT(findings[0].message, Not(HasSubstr("summary")));
  EXPECT_THAT(findings[0].message, HasSubstr("url"));
  config.labels["url"] = "u";
  EXPECT_THAT(check_labels(config), IsEmpty());
}

}  // namespace
}  // namespace berth::render
