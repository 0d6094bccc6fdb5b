// What a plan leads to that its reader should know before it is carried out.
#pragma once

#include <string>
#include <vector>

#include "base/finding.hpp"
#include "base/json.hpp"
#include "ops/plan/install_plan.hpp"

namespace berth::ops {

/// Bind mounts whose source nothing makes, directories that others can enter and the container writes to, and links to
/// standard streams that are sockets. Pure.
/// @param config the final config.json @param plan complete but for this and its privileges
base::Findings plan_findings(const PlanInputs& inputs, const base::Json& config, const InstallPlan& plan);

/// The warnings among them, each one sentence with its remedy.
std::vector<std::string> warnings_of(const base::Findings& findings);

}  // namespace berth::ops
