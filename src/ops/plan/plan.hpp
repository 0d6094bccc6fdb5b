// The plan of an install. Making it is pure; nothing on the host changes before it is complete.
#pragma once

#include "base/json.hpp"
#include "ops/plan/install_plan.hpp"

namespace berth::ops {

/// Whether install runs the image and leaves nothing behind (contract, section 1).
bool runs_once(const image::ImageConfig& config);

/// @throws Error with every missing variable of all templates at once
InstallPlan make_plan(const PlanInputs& inputs);

/// A plan of nothing but the host files, with the values of a deployment that exists. @throws Error
InstallPlan plan_host_files(const PlanInputs& inputs, const render::Values& values);

/// For `--dry-run --json`.
base::Json plan_to_json(const InstallPlan& plan);

}  // namespace berth::ops
