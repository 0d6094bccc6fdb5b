// Removing what nothing uses.
#pragma once

#include "store/repository.hpp"
#include "store/store.hpp"

namespace berth::store {

/// What prune spares and what it does not need to, as far as branches and commits go.
struct Kept {
  std::vector<Checksum> commits;
  std::vector<Branch> unused_layers;  ///< that no image and no deployment needs
};

/// @param in_use commits that are in use although no branch may name them
Kept find_kept(const Repository& repository, const std::vector<std::string>& in_use);

/// Commits that neither berth nor the older tools wrote: whether they are needed is not for us to say.
std::vector<Checksum> foreign_commits(const Repository& repository);

/// As Store::prune.
PruneReport prune_repository(const Repository& repository, const StoreOptions& options, const PruneRequest& request);

}  // namespace berth::store
