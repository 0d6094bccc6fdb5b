// SPDX-License-Identifier: LGPL-2.1-or-later
// Makes the plan of an install. Pure: nothing on the host changes.
#pragma once

#include "base/json_fwd.hpp"
#include "ops/plan/install_plan.hpp"
#include "ops/plan/plan_inputs.hpp"

namespace berth::ops {

/// Whether install runs the image once and leaves nothing behind (label `atomic.run=once`, see
/// docs/system-containers.md, "The system image").
bool runs_once(const image::ImageConfig& config);

/// The plan of an install or an update.
/// @throws Error(usage) that names every missing variable of all templates, and Error for an image that would not work
InstallPlan make_plan(const PlanInputs& inputs);

/// A plan of the host files alone. @param values of a deployment that exists @throws Error
InstallPlan plan_host_files(const PlanInputs& inputs, const render::Values& values);

/// The plan as an install with `--display` shows it (berth-install.schema.json).
base::Json to_json(const InstallPlan& plan);

}  // namespace berth::ops
