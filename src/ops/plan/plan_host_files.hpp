// SPDX-License-Identifier: LGPL-2.1-or-later
// The part of a plan that concerns host files, and the privileges of a plan.
#pragma once

#include <string>
#include <vector>

#include "ops/plan/install_plan.hpp"
#include "ops/plan/plan_inputs.hpp"
#include "render/spec/privilege.hpp"
#include "render/template/template.hpp"

namespace berth::ops {

/// Adds the host files of the image to the plan: which of them are created, which exist and are kept, and the
/// privileges that they give. To be called once the unit is rendered.
/// @throws Error(conflict) for a file that cannot be created at its destination
void add_host_files(const PlanInputs& inputs, render::Renderer& renderer, InstallPlan& plan);

/// Host directory that holds the volumes of the container.
std::string volumes_of_container(const PlanInputs& inputs);

/// Adds a privilege to the plan. A user's container never has privileges over the host: it can do no more than the
/// user.
void add_privilege(const PlanInputs& inputs, InstallPlan& plan, render::Privilege privilege);
void add_privileges(const PlanInputs& inputs, InstallPlan& plan, std::vector<render::Privilege> privileges);

}  // namespace berth::ops
