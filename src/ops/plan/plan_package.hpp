// The package of an image's host files, as data.
#pragma once

#include <vector>

#include "ops/plan/install_plan.hpp"
#include "render/package_text.hpp"
#include "render/template/template.hpp"

namespace berth::ops {

/// Whether this is a mode of --system-package for an install. @throws Error(usage)
void check_package_mode(const std::string& mode);

/// Decides whether the files of the plan come in a package and describes it. To be called when the files are known.
/// @throws Error when a package is wanted that this host cannot have
void plan_package(const PlanInputs& inputs, render::Renderer& renderer, InstallPlan& plan);

/// The host files of a plan as a package manager is told of them.
std::vector<render::PackagedFile> packaged_files(const InstallPlan& plan);

/// Text of DEBIAN/control.
std::string deb_text(const render::PackageDescription& description);

}  // namespace berth::ops
