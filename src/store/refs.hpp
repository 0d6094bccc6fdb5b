// Branches as files, as OSTree keeps them: refs/heads/NAME holds a commit's checksum, or is a symbolic link to one that
// does (`ostree refs --alias`).
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "store/repository.hpp"

namespace berth::store {

/// `ociimage/x` → `refs/heads/ociimage/x`.
std::string branch_path(const std::string& branch);

/// nullopt when there is none. @throws Error(verification) naming the file when it is damaged
std::optional<Checksum> read_branch(int repository, const std::string& branch);

/// What there is below one folder of refs, sorted by name.
struct RefListing {
  std::vector<Branch> sound;
  std::vector<DamagedBranch> damaged;
};

/// All branches below `prefix`. A damaged one hides no other.
RefListing list_branches(int repository, const std::string& prefix);

/// All refs there are; those of remotes are called `REMOTE:REF`, those of collections by their paths.
RefListing list_refs(int repository);

}  // namespace berth::store
