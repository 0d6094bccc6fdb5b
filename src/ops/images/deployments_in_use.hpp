// SPDX-License-Identifier: LGPL-2.1-or-later
// Commits that deployments and mounts use, besides those that branches name.
#pragma once

#include <string>
#include <vector>

#include "ops/context.hpp"
#include "store/store.hpp"

namespace berth::ops {

/// Directory below the deployments, with one directory for each `berth mount`.
inline constexpr const char* mounts_directory = ".mounts";

/// A directory with an info file: a deployment, a staging directory, a mount, or a one-off run.
struct DeploymentInUse {
  std::string container;  ///< empty unless it is a deployment NAME.0 or NAME.1
  bool live = false;      ///< the container's link names this slot
  std::string path;       ///< on disk
  std::string image;
  std::string image_id;
  std::string commit;  ///< empty when it is not known; need not be stored
  bool has_service = true;
  std::string damage;  ///< why its info cannot be read; then only `path`, `container` and `live` are set
};

/// @return sorted by path, without preinstalled containers, whose files do not come from the store. An info file that
///   cannot be read is reported as a warning, too.
std::vector<DeploymentInUse> deployments_in_use(const Context& context);

/// @return the root file systems that are checkouts of stored commits. The checkout of a container with a service
///   contains the whole commit. `atomic` checked out layers over each other, each of which describes a part of the
///   result.
std::vector<store::CheckedOut> checkouts_of(const std::vector<DeploymentInUse>& deployments, const store::Store& store);

/// Whether the objects that a deployment uses are not known, because its info is damaged, or because its commit is
/// damaged or missing. For store::CommitsInUse.
bool has_unknown_use(const std::vector<DeploymentInUse>& deployments, const store::Store& store);

/// @return the commits of all deployments, for store::CommitsInUse
std::vector<std::string> commits_in_use(const std::vector<DeploymentInUse>& deployments);

}  // namespace berth::ops
