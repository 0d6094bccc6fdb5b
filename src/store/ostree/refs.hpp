// Branches as files, as OSTree keeps them: refs/heads/NAME holds a commit's checksum, or is a symbolic link to one that
// does (`ostree refs --alias`).
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "image/reference.hpp"
#include "store/tree/checksum.hpp"

namespace berth::store {

/// Where all our branches are: images as `ociimage/ENCODED-NAME`, layers as `ociimage/HEXDIGEST`.
inline constexpr const char* branch_prefix = "ociimage/";

/// `ociimage/HEX` of a layer.
std::string layer_branch(const std::string& hex);
/// `ociimage/ENCODED` of an image.
std::string image_branch(const image::ImageName& name);
/// Whether a branch is a layer's: 64 or 128 hex digits.
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
[[nodiscard]] std::string damage_words(const DamagedBranch& branch);
inline constexpr const char* branch_hint =
    "berth pull or berth images repair writes it again, berth images delete --force forgets it";

/// `ociimage/x` → `refs/heads/ociimage/x`.
std::string branch_path(const std::string& branch);

/// nullopt when there is none. @throws Error(verification) naming the file when it is damaged
std::optional<Checksum> read_branch(int repository, const std::string& branch);

/// What there is below one directory of refs, sorted by name.
struct RefListing {
  std::vector<Branch> sound;
  std::vector<DamagedBranch> damaged;
};

/// All branches below `prefix`. A damaged one hides no other.
RefListing list_branches(int repository, const std::string& prefix);

/// All refs there are; those of remotes are called `REMOTE:REF`, those of collections by their paths.
RefListing list_refs(int repository);

}  // namespace berth::store
