// SPDX-License-Identifier: LGPL-2.1-or-later
// Branches as files, as OSTree keeps them: refs/heads/NAME holds a commit's checksum, or is a symbolic link to one that
// does (`ostree refs --alias`).
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "image/reference.hpp"
#include "store/tree/checksum.hpp"

namespace berth::store {

/// The prefix of all branches: images are `ociimage/ENCODED-NAME`, layers `ociimage/HEXDIGEST`.
inline constexpr const char* branch_prefix = "ociimage/";

/// `ociimage/HEX` of a layer.
std::string layer_branch(const std::string& hex);
/// `ociimage/ENCODED` of an image.
std::string image_branch(const image::ImageName& name);
/// Whether a branch is that of a layer: 64 or 128 hex digits.
bool is_layer_branch(const std::string& branch);

struct Branch {
  std::string name;
  Checksum commit;
};

/// A ref whose file names no commit.
struct DamagedBranch {
  std::string name;
  std::string path;    ///< of its file
  std::string reason;  ///< e.g. "it is not a file"
};
[[nodiscard]] std::string describe_damage(const DamagedBranch& branch);
inline constexpr const char* branch_hint =
    "berth pull or berth images repair writes it again, berth images delete --force removes it";

/// `ociimage/x` → `refs/heads/ociimage/x`.
std::string branch_path(const std::string& branch);

/// The commit of a branch; nullopt when the branch does not exist. @throws Error(verification) naming the file when it
/// is damaged
std::optional<Checksum> read_branch(int repository, const std::string& branch);

/// The refs below one directory, sorted by name.
struct RefListing {
  std::vector<Branch> sound;
  std::vector<DamagedBranch> damaged;
};

/// All branches below `prefix`, e.g. `ociimage`; a damaged one does not hide others.
RefListing list_branches(int repository, const std::string& prefix);

/// All refs; those of remotes are named `REMOTE:REF`, those of collections by their paths.
RefListing list_refs(int repository);

}  // namespace berth::store
