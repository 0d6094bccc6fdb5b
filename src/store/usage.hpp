// What takes how much of the disk.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "store/ostree/options.hpp"

namespace berth::store {

/// Something that holds on to objects: an image, or a container.
struct Owner {
  std::vector<std::string> commits;
  std::vector<std::string> directories;  ///< whose files count, too, as far as they are not objects; each inode once
};

struct OwnerUsage {
  std::uint64_t shared = 0;  ///< bytes on the disk that another owner has, too
  std::uint64_t own = 0;     ///< bytes on the disk that go with it
};

struct Usage {
  std::vector<OwnerUsage> owners;  ///< in the order of the request
  std::uint64_t total = 0;         ///< all objects and files, each once
  std::uint64_t unowned = 0;       ///< objects that no owner has
  std::uint64_t reclaimable = 0;   ///< of these, what a prune would free
};

/// Adds up blocks on the disk (st_blocks of stat(2)), by object and inode, so that the sums are true: `total` is
/// `unowned` and every owner's `own`, and what is shared once. What cannot be read is counted as nobody's.
/// @param in_use commits of which no owner may tell, @param some_unknown whether there are more; see PruneRequest
Usage measure_usage(const StoreOptions& options, const std::vector<Owner>& owners,
                    const std::vector<std::string>& in_use, bool some_unknown = false);

}  // namespace berth::store
