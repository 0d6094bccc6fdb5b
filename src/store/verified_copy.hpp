// SPDX-License-Identifier: LGPL-2.1-or-later
// Copies commits from a repository that other users can change.
#pragma once

#include <string>
#include <vector>

#include "store/ostree/options.hpp"
#include "store/ostree/repository.hpp"

namespace berth::store {

/// Copies branches, and commits named in hex, with all their objects from one bare repository to another. Each object
/// is compared with its name as it is copied, and shares no inode with its original. Durable.
/// @param options of the target repository
/// @throws Error(verification) naming the object that does not match its name; then nothing was copied
void copy_verified(const Repository& from, const StoreOptions& options, const std::vector<std::string>& refs);

}  // namespace berth::store
