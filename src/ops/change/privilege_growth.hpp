// What a new deployment may do that the live one may not.
#pragma once

#include <string>
#include <vector>

#include "host/state/deployment.hpp"
#include "ops/plan/install_plan.hpp"

namespace berth::ops {

/// The privileges of `plan` that `before` has not got. What a deployment has is in its info; for one that was made
/// before that was written down, its config.json, unit, tmpfiles.d lines and recorded host files tell.
std::vector<std::string> new_privileges(const host::Deployment& before, const InstallPlan& plan);

}  // namespace berth::ops
