// SPDX-License-Identifier: LGPL-2.1-or-later
// The results of lint, init and render as JSON.
#include <gtest/gtest.h>

#include "base/json.hpp"
#include "golden_json.hpp"
#include "ops/author/init.hpp"
#include "ops/author/lint.hpp"
#include "ops/author/render.hpp"

namespace berth::ops {
namespace {

using test::expect_golden;

TEST(AuthorJson, FindingsNameFilesAsTheUserOpensThem) {
  LintReport report;
  report.directory = "/srv/agent/exports";
  report.findings = {
      {base::Severity::note, "no-help", "image", 0, "nothing explains the image to its users",
       "bring a /help.1, or a label `help`"},
      {base::Severity::error, "directory", "exports", 0, "it is empty", ""},
      {base::Severity::warning, "unused-default", "exports/manifest.json", 3, "no template uses $PORT", "remove it"}};
  expect_golden("lint", to_json(report));
}

TEST(AuthorJson, NoFindings) {
  expect_golden("lint-empty", to_json(LintReport{"/srv/agent/exports", {}}));
}

TEST(AuthorJson, WrittenFiles) {
  expect_golden("init", to_json(InitOutcome{"agent", {"Containerfile", "exports/manifest.json"}}));
}

TEST(AuthorJson, RenderedFiles) {
  const std::vector<RenderedFile> files = {
      {"/var/lib/containers/berth/agent.0/config.json", "{\"ociVersion\": \"1.0.2\"}\n", 0600},
      {"/etc/systemd/system/agent.service", "[Service]\nExecStart=/usr/bin/runc run agent\n", 0644}};
  expect_golden("render", to_json(files));
}

}  // namespace
}  // namespace berth::ops
