// SPDX-License-Identifier: LGPL-2.1-or-later
#include "render/lint/lint_image.hpp"

#include "base/json.hpp"
#include "render/lint/findings.hpp"

namespace berth::render {
namespace {

using test::codes;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

HostEntry host_entry(const std::string& path, HostEntryKind kind, mode_t mode, const std::string& target = "") {
  HostEntry entry;
  entry.path = path;
  entry.kind = kind;
  entry.mode = mode;
  entry.link_target = target;
  return entry;
}

base::Json config(const std::string& program, const std::string& source) {
  return {{"process", {{"args", {program}}, {"terminal", true}}},
          {"mounts", base::Json::array({{{"destination", "/d"}, {"source", source}, {"options", {"rbind"}}},
                                        {{"destination", "/t"}, {"type", "tmpfs"}, {"source", "tmpfs"}}})}};
}

TEST(LintImage, ReportsMissingProgramsTerminalsAndSources) {
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

TEST(LintImage, ReportsDangerousHostFiles) {
  Exports exports;
  exports.host_entries = {host_entry("etc", HostEntryKind::directory, 0777),
                          host_entry("etc/shadow", HostEntryKind::file, 0644),
                          host_entry("etc/away", HostEntryKind::link, 0777, "/etc/passwd"),
                          host_entry("etc/up", HostEntryKind::link, 0777, "../../x"),
                          host_entry("etc/near", HostEntryKind::link, 0777, "../etc/open"),
                          host_entry("etc/own", HostEntryKind::link, 0777, "/etc/open"),
                          host_entry("etc/open", HostEntryKind::file, 0666),
                          host_entry("tmp", HostEntryKind::directory, 01777),
                          host_entry("usr/bin/su", HostEntryKind::file, 04755)};
  std::vector<std::string> reported;
  for (const auto& finding : check_host_files(exports, {})) {
    reported.push_back(finding.code + " " + finding.file.substr(15));
  }
  EXPECT_THAT(reported, ElementsAre("world-writable etc", "privilege-over-host etc/shadow", "link-away etc/away",
                                    "link-away etc/up", "world-writable etc/open", "privilege-over-host usr/bin/su"));
}

TEST(LintImage, ReportsMissingLabels) {
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
