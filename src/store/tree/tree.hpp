// SPDX-License-Identifier: LGPL-2.1-or-later
// Trees of files as names and checksums, in memory: of one layer, or of merged layers.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <variant>

#include "store/tree/checksum.hpp"

namespace berth::store {

/// Name → value, sorted bytewise as OSTree stores them.
using Xattrs = std::map<std::string, std::string>;

/// Owner, permission bits (07777) and extended attributes of a file or directory.
struct Ownership {
  std::uint32_t uid = 0;
  std::uint32_t gid = 0;
  std::uint32_t permissions = 0755;
  Xattrs xattrs;
};

/// The xattr that marks, in a layer's commit, a directory without an entry of its own in the archive. Its owner and
/// mode are not known, so that merging keeps those of lower layers. Images cannot use the name.
inline constexpr const char* implied_directory_xattr = "user.berth.implied";

/// Longest nesting of directories. Checkout holds one descriptor per level.
inline constexpr std::size_t directory_depth_limit = 512;

struct Directory;

/// A hard link to a name that only lower layers can hold; resolved when layers are merged.
struct LowerLink {
  std::string target;  ///< normalised path below the image's root
};

/// A file or symbolic link (content object), a directory, or a link downwards.
using Node = std::variant<Checksum, LowerLink, std::unique_ptr<Directory>>;

struct Directory {
  Checksum meta;  ///< DIR_META object
  std::map<std::string, Node, std::less<>> children;
};

/// The directory in `node`; nullptr when it is something else.
inline Directory* directory_in(Node& node) {
  auto* directory = std::get_if<std::unique_ptr<Directory>>(&node);
  return directory == nullptr ? nullptr : directory->get();
}
inline const Directory* directory_in(const Node& node) {
  const auto* directory = std::get_if<std::unique_ptr<Directory>>(&node);
  return directory == nullptr ? nullptr : directory->get();
}

/// A directory in the repository: its DIR_TREE and DIR_META objects.
struct StoredDirectory {
  Checksum tree;
  Checksum meta;
};

/// Content of one DIR_TREE object.
struct DirectoryListing {
  std::map<std::string, Checksum> files;
  std::map<std::string, StoredDirectory> directories;
};

/// Gives the listing of a DIR_TREE object.
using DirectoryLoader = std::function<DirectoryListing(const Checksum& tree)>;

}  // namespace berth::store
