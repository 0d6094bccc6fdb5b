// SPDX-License-Identifier: LGPL-2.1-or-later
// Privileges that a new deployment has but the live one does not.
#pragma once

#include <string>
#include <vector>

#include "host/state/deployment.hpp"
#include "ops/plan/install_plan.hpp"

namespace berth::ops {

/// The privileges of `plan` that `before` does not have. The info file of a deployment records its privileges; for one
/// without that record they are derived from its config.json, unit, tmpfiles.d lines and recorded host files.
std::vector<std::string> new_privileges(const host::Deployment& before, const InstallPlan& plan);

}  // namespace berth::ops
