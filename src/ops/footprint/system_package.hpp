// The package that holds the host files of a deployment: made with the deployment, kept in it, installed and removed.
#pragma once

#include <string>
#include <vector>

#include "ops/context.hpp"
#include "ops/journal_record.hpp"
#include "ops/plan/install_plan.hpp"

namespace berth::ops {

/// The package of a deployment as its info file has it.
NotedPackage noted_package(const host::DeploymentInfo& info);

/// Makes the planned package in `directory`, the deployment in the making, and corrects its name in the plan when the
/// image describes the package itself.
/// @param directory below the deployments. @param rootfs descriptor of the deployment's root file system
void build_package(const Context& context, const std::string& directory, int rootfs, InstallPlan& plan);

/// Creates the host files of the plan below `tree`. @param rootfs as in build_package @throws Error
void create_host_files(int tree, int rootfs, const InstallPlan& plan);

/// Has the package in a deployment installed, in place of any other version of it.
void install_package(const Context& context, const std::string& name, int slot);

/// @return files below /etc that were edited and stay
std::vector<std::string> remove_package(const Context& context, const NotedPackage& package);

/// Removes the package and all its files. Not an error when it is not there.
void purge_package(const Context& context, const std::string& package);

}  // namespace berth::ops
