// SPDX-License-Identifier: LGPL-2.1-or-later
// berth install --system-package=build: a package with a whole container, which is part of the operating system where
// the package is installed.
#pragma once

#include <string>

#include "base/json_fwd.hpp"
#include "ops/containers/install.hpp"
#include "ops/context.hpp"

namespace berth::ops {

struct ContainerPackage {
  std::string container;
  host::Layout layout;  ///< of the machines that install the package
  InstallPlan plan;
  host::PackageKind kind = host::PackageKind::deb;  ///< that of this machine
  std::string file;                                 ///< absolute path; empty when only a plan was requested
};

/// Plans the installation of a preinstalled container on another machine, and builds a package of its files: the
/// deployment, the unit and the links that enable it, tmpfiles.d lines and host files. Changes nothing else on this
/// machine, which only determines the kind of the package, the runtime, and the bind mounts whose sources exist.
/// @param directory gets the package, under its conventional name; an existing file is replaced
/// @throws Error(usage), Error(failed) without a package database, and the errors of an install
ContainerPackage make_container_package(Context& context, const InstallRequest& request, const std::string& directory);

/// The package that was made (berth-install.schema.json).
base::Json to_json(const ContainerPackage& package);

}  // namespace berth::ops
