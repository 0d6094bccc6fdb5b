// Removing what nothing uses.
#pragma once

#include "store/ostree/options.hpp"
#include "store/ostree/refs.hpp"
#include "store/ostree/repository.hpp"
#include "store/requests.hpp"

namespace berth::store {

/// What prune spares and what it does not need to, as far as branches and commits go.
struct Kept {
  std::vector<Checksum> commits;
  std::vector<Branch> unused_layers;  ///< that no image and no deployment needs
  bool all = false;                   ///< something is in use of which nothing is known: no commit may go
};

/// @param in_use commits that are in use although no branch may name them
/// @param some_unknown whether there may be more of them
Kept find_kept(const Repository& repository, const std::vector<std::string>& in_use, bool some_unknown);

/// Commits that neither berth nor the older tools wrote: whether they are needed is not for us to say.
std::vector<Checksum> foreign_commits(const Repository& repository);

/// As Store::prune.
PruneReport prune_repository(const Repository& repository, const StoreOptions& options, const PruneRequest& request);

}  // namespace berth::store
