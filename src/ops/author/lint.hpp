// berth lint: what an image's author should know before somebody installs it.
#pragma once

#include <string>
#include <vector>

#include "base/finding.hpp"
#include "ops/author/image_preview.hpp"

namespace berth::ops {

struct LintRequest {
  PreviewRequest preview;
  std::vector<std::string> set;  ///< --set NAME=VALUE, as an install would be given
};

struct LintReport {
  std::string directory;    ///< of /exports, for messages; `exports/…` in the findings is in it
  base::Findings findings;  ///< by file and line
};

/// Renders with the defaults, plans an install without one, and has systemd-analyze(1) look at the unit when it is
/// there. @throws Error when the target itself cannot be opened
LintReport lint(const Context& context, const LintRequest& request);

}  // namespace berth::ops
