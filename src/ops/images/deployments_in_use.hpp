// What of the store is in use by something that is no branch.
#pragma once

#include <string>
#include <vector>

#include "ops/context.hpp"
#include "store/store.hpp"

namespace berth::ops {

/// Below the deployments: one directory for each `berth mount`.
inline constexpr const char* mounts_directory = ".mounts";

/// A directory with an info file: a deployment, one in the making, a mount, or a one-off run.
struct DeploymentInUse {
  std::string container;  ///< empty unless it is a deployment NAME.0 or NAME.1
  bool live = false;      ///< the container's link names this slot
  std::string path;       ///< as this process opens it
  std::string image;
  std::string image_id;
  std::string commit;  ///< empty when there is none; it may not be stored any more
  bool has_service = true;
  std::string damage;  ///< why its info cannot be read; then no more is known than where it is
};

/// All of them, sorted by path. One whose info cannot be read is a warning, too. Preinstalled containers are none of
/// them: their files never were in the store.
std::vector<DeploymentInUse> deployments_in_use(const Context& context);

/// Those of their root file systems that are checkouts of what is stored. That of a container with a service is whole;
/// older tools laid layers over each other, of which each says in part what is in it.
std::vector<store::CheckedOut> checkouts_of(const std::vector<DeploymentInUse>& deployments, const store::Store& store);

/// Whether some deployment does not tell its commit, because its info or that commit is damaged or gone: what it needs
/// is not known then. For store::PruneRequest.
bool has_unknown_use(const Context& context, const store::Store& store);

/// Their commits, for store::PruneRequest.
std::vector<std::string> commits_in_use(const Context& context);

}  // namespace berth::ops
