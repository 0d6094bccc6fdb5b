// A package that holds a whole container, for machines on which it is then part of the operating system.
#pragma once

#include <string>

#include "ops/containers/install.hpp"
#include "ops/context.hpp"

namespace berth::ops {

struct ContainerPackage {
  std::string container;
  host::Layout places;  ///< of the machines that it is for
  InstallPlan plan;
  host::PackageKind kind = host::PackageKind::deb;  ///< what this machine has
  std::string file;                                 ///< absolute path; empty when only the plan was asked for
};

/// `install --system-package=build`: plans an install into the read-only part of another machine and makes a package of
/// what that would put there: deployment, unit and the links that enable it, tmpfiles.d lines and host files. Nothing
/// is installed, and nothing but the package is left. What is on this machine decides only what kind of package it is,
/// which runtime is used and what bind mounts find.
/// @param directory gets the package, under the name that its kind prescribes; one of the same name is replaced
/// @throws Error
ContainerPackage make_container_package(Context& context, const InstallRequest& request, const std::string& directory);

}  // namespace berth::ops
