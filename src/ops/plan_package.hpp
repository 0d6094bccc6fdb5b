// The package of an image's host files, as data.
#pragma once

#include "exports/template.hpp"
#include "ops/plan.hpp"

namespace berth::ops {

/// Whether this is a mode of --system-package. @throws Error(usage)
void check_package_mode(const std::string& mode);

/// Decides whether the files of the plan come in a package and describes it. To be called when the files are known.
/// @throws Error when a package is wanted that this host cannot have
void plan_package(const PlanInputs& inputs, exports::Renderer& renderer, InstallPlan& plan);

}  // namespace berth::ops
