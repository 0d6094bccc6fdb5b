// SPDX-License-Identifier: LGPL-2.1-or-later
// Removal of objects that are not in use.
#pragma once

#include "store/ostree/options.hpp"
#include "store/ostree/refs.hpp"
#include "store/ostree/repository.hpp"
#include "store/requests.hpp"

namespace berth::store {

/// The branches and commits that prune keeps, and the branches that it may remove.
struct Kept {
  std::vector<Checksum> commits;
  std::vector<Branch> unused_layers;  ///< needed by no image and no deployment
  bool all = false;                   ///< a commit in use is not known: all are kept
};

/// @param in_use commits that are in use, whether or not a branch names them
/// @param some_unknown whether there may be more of them
Kept find_kept(const Repository& repository, const std::vector<std::string>& in_use, bool some_unknown);

/// Commits that neither berth nor `atomic` wrote, and which may be in use by other tools.
std::vector<Checksum> commits_of_other_tools(const Repository& repository);

/// As Store::prune.
PruneReport prune_repository(const Repository& repository, const StoreOptions& options, const PruneRequest& request);

}  // namespace berth::store
