// SPDX-License-Identifier: LGPL-2.1-or-later
// berth lint: checks an image for its author.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/finding.hpp"
#include "base/json_fwd.hpp"
#include "ops/author/image_preview.hpp"

namespace berth::ops {

struct LintRequest {
  PreviewRequest preview;
  std::vector<std::string> set;  ///< --set NAME=VALUE, as for an install
};

struct LintReport {
  std::string directory;    ///< path of /exports for messages; the findings name files as `exports/…`
  base::Findings findings;  ///< by file and line
};

/// Renders the templates with the default values, plans an install, and runs systemd-analyze(1) on the unit if it is
/// installed.
/// @throws Error when the target cannot be opened
LintReport lint(const Context& context, const LintRequest& request);

/// @return the path of the file of a finding as the user can open it
std::string path_of(const LintReport& report, const base::Finding& finding);

/// @return `note`, `warning` or `error`
std::string_view name_of(base::Severity severity);

/// The findings as an array (berth-lint.schema.json).
base::Json to_json(const LintReport& report);

}  // namespace berth::ops
