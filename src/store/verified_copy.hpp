// Commits of a repository that others can enter and change.
#pragma once

#include <string>
#include <vector>

#include "store/ostree/options.hpp"
#include "store/ostree/repository.hpp"

namespace berth::store {

/// Copies branches, and commits named in hex, with all that they consist of from one bare repository to another. Each
/// object is compared with its name as it is copied, and shares no inode with its original. Durable.
/// @param options of the repository that gets them
/// @throws Error(verification) naming the object that is not what was stored; then nothing was copied
void copy_examined(const Repository& from, const StoreOptions& options, const std::vector<std::string>& refs);

}  // namespace berth::store
