// SPDX-License-Identifier: LGPL-2.1-or-later
#include "render/lint/lint_privileges.hpp"

#include "base/json.hpp"
#include "render/lint/findings.hpp"

namespace berth::render {
namespace {

using base::Finding;
using base::Severity;

TEST(LintPrivileges, OfAUnitAreNotesWithTheirLines) {
  const auto findings =
      unit_notes("[Service]\nExecStartPre=/bin/a\n\nExecStartPre=/bin/b --x\n[Install]\nAlias=c.service\n", {});
  ASSERT_EQ(findings.size(), 3U);
  EXPECT_EQ(findings[0].line, 2U);
  EXPECT_EQ(findings[1].line, 4U);
  EXPECT_EQ(findings[2].line, 6U);
  EXPECT_EQ(findings[2].severity, Severity::note);
  EXPECT_EQ(findings[2].code, "privilege-over-host");
}

TEST(LintPrivileges, OfTmpfilesLinesAreNotesWithTheirLines) {
  const auto findings = tmpfiles_notes("d /run/x\n\nd /etc/x\nr /var/lib/y\n");
  ASSERT_EQ(findings.size(), 2U);
  EXPECT_EQ(findings[0].line, 3U);
  EXPECT_EQ(findings[0].code, "privilege-over-host");
  EXPECT_EQ(findings[1].line, 4U);
  EXPECT_EQ(findings[1].code, "privilege");
}

TEST(LintPrivileges, OfAConfigurationAreNotesWithTheirLines) {
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

}  // namespace
}  // namespace berth::render
