// SPDX-License-Identifier: LGPL-2.1-or-later
// The part of a plan that concerns the package of host files.
#pragma once

#include <vector>

#include "ops/plan/install_plan.hpp"
#include "ops/plan/plan_inputs.hpp"
#include "render/package_text.hpp"
#include "render/template/template.hpp"

namespace berth::ops {

/// Checks a mode of --system-package for an install. @throws Error(usage)
void check_package_mode(const std::string& mode);

/// Decides whether the host files go into a package, and adds the package to the plan. To be called after
/// add_host_files(). @throws Error when a requested package cannot be made or installed on this host
void plan_package(const PlanInputs& inputs, render::Renderer& renderer, InstallPlan& plan);

/// The host files of a plan as entries of a package.
std::vector<render::PackagedFile> packaged_files(const InstallPlan& plan);

/// Text of DEBIAN/control.
std::string deb_text(const render::PackageDescription& description);

}  // namespace berth::ops
