// Trees of files as names and checksums, in memory: what a layer holds, and what layers merge to.
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

/// Owner, permission bits (07777) and extended attributes of a file or folder.
struct Ownership {
  std::uint32_t uid = 0;
  std::uint32_t gid = 0;
  std::uint32_t permissions = 0755;
  Xattrs xattrs;
};

/// The xattr that marks, in a layer's commit, a folder for which the archive had no entry of its own: it says
/// nothing about owner and mode, so that merging keeps what lower layers say. Images cannot use the name.
inline constexpr const char* implied_folder_xattr = "user.berth.implied";

/// Longest nesting of folders. Checkout holds one descriptor per level.
inline constexpr std::size_t folder_depth_limit = 512;

struct Folder;

/// A hard link to a name that only lower layers can hold; resolved when layers are merged.
struct LowerLink {
  std::string target;  ///< normalised path below the image's root
};

/// A file or symbolic link (content object), a folder, or a link downwards.
using Node = std::variant<Checksum, LowerLink, std::unique_ptr<Folder>>;

struct Folder {
  Checksum meta;  ///< DIR_META object
  std::map<std::string, Node, std::less<>> children;
};

/// The folder in `node`; nullptr when it is something else.
inline Folder* folder_in(Node& node) {
  auto* folder = std::get_if<std::unique_ptr<Folder>>(&node);
  return folder == nullptr ? nullptr : folder->get();
}
inline const Folder* folder_in(const Node& node) {
  const auto* folder = std::get_if<std::unique_ptr<Folder>>(&node);
  return folder == nullptr ? nullptr : folder->get();
}

/// A folder in the repository: its DIR_TREE and DIR_META objects.
struct StoredFolder {
  Checksum tree;
  Checksum meta;
};

/// Content of one DIR_TREE object.
struct FolderListing {
  std::map<std::string, Checksum> files;
  std::map<std::string, StoredFolder> folders;
};

/// Gives the listing of a DIR_TREE object.
using FolderLoader = std::function<FolderListing(const Checksum& tree)>;

}  // namespace berth::store
