// SPDX-License-Identifier: LGPL-2.1-or-later
// Disk usage of images and containers.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "store/ostree/options.hpp"

namespace berth::store {

/// A user of objects: an image, or a container.
struct Owner {
  std::vector<std::string> commits;
  std::vector<std::string> directories;  ///< whose files count unless they are objects; each inode once
};

struct OwnerUsage {
  std::uint64_t shared = 0;  ///< bytes on the disk that another owner uses as well
  std::uint64_t own = 0;     ///< bytes on the disk that no other owner uses
};

struct Usage {
  std::vector<OwnerUsage> owners;  ///< in the order of the request
  std::uint64_t total = 0;         ///< all objects and files, each once
  std::uint64_t unowned = 0;       ///< bytes of objects without an owner
  std::uint64_t reclaimable = 0;   ///< of these, the bytes that a prune would free
};

/// Adds up blocks on the disk (st_blocks of stat(2)) by object and inode, so that nothing is counted twice: `total` is
/// the sum of `unowned`, the `own` of all owners, and shared bytes once. Files that cannot be read have no owner.
/// @param in_use commits that may have none of the owners
/// @param some_unknown whether there are more of these; see CommitsInUse
Usage measure_usage(const StoreOptions& options, const std::vector<Owner>& owners,
                    const std::vector<std::string>& in_use, bool some_unknown = false);

}  // namespace berth::store
