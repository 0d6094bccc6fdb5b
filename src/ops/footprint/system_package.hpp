// SPDX-License-Identifier: LGPL-2.1-or-later
// The package with the host files of a deployment. It is built with the deployment and kept in it.
#pragma once

#include <string>
#include <vector>

#include "ops/context.hpp"
#include "ops/journal_record.hpp"
#include "ops/plan/install_plan.hpp"

namespace berth::ops {

/// @return the package that the info file of a deployment records
RecordedPackage recorded_package(const host::DeploymentInfo& info);

/// Builds the planned package, and sets its name in the plan, which a spec file of the image may determine.
/// @param directory of the new deployment, relative to the directory of deployments
/// @param rootfs descriptor of the deployment's root file system
/// @throws Error(failed) with the output of the tool, Error(not_found) when the tool is not installed
void build_package(const Context& context, const std::string& directory, int rootfs, InstallPlan& plan);

/// Creates the host files of the plan.
/// @param tree descriptor of the directory that stands for the root
/// @param rootfs descriptor of the deployment's root file system
/// @throws Error(verification) when a file changed since it was planned
void create_host_files(int tree, int rootfs, const InstallPlan& plan);

/// Installs the package of a deployment, replacing any other version of it.
/// @param name of the container
/// @throws Error(failed), Error(conflict) while another package manager is running
void install_package(const Context& context, const std::string& name, int slot);

/// Removes the package. @return edited files below /etc, which are kept
std::vector<std::string> remove_package(const Context& context, const RecordedPackage& package);

/// Removes the package and all its files, if it is installed.
void purge_package(const Context& context, const std::string& package);

}  // namespace berth::ops
