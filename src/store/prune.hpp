// Removing what nothing uses.
#pragma once

#include "store/repository.hpp"
#include "store/store.hpp"

namespace berth::store {

/// As Store::prune.
PruneReport prune_repository(const Repository& repository, const StoreOptions& options, const PruneRequest& request);

}  // namespace berth::store
