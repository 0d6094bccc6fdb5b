// The branches of a repository, files below `refs/heads` that hold the checksum of a commit.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "store/repository.hpp"

namespace berth::store {

/// Where a branch is, relative to the repository's folder.
std::string branch_path(const std::string& branch);

/// The commit that a branch names; nullopt when there is no such branch. Links are followed: they are aliases.
/// @param repository descriptor of the repository's folder
std::optional<Checksum> read_branch(int repository, const std::string& branch);

/// All branches in the folder `prefix` and below, sorted by name.
std::vector<Branch> list_branches(int repository, const std::string& prefix);

}  // namespace berth::store
