// SPDX-License-Identifier: LGPL-2.1-or-later
// Findings about a plan: problems that its reader should know before it is applied.
#pragma once

#include <string>
#include <vector>

#include "base/finding.hpp"
#include "base/json_fwd.hpp"
#include "ops/plan/install_plan.hpp"
#include "ops/plan/plan_inputs.hpp"

namespace berth::ops {

/// Finds bind mounts whose source does not exist, directories that the container writes to and other users can enter,
/// and links to standard streams, which are sockets. Pure.
/// @param config the final config.json @param plan complete except for its findings
base::Findings plan_findings(const PlanInputs& inputs, const base::Json& config, const InstallPlan& plan);

/// The warnings among the findings, each with its remedy after a semicolon.
std::vector<std::string> warnings_of(const base::Findings& findings);

}  // namespace berth::ops
