// SPDX-License-Identifier: LGPL-2.1-or-later
// Stacks layers into one tree, in memory: OCI image-spec 1.1 layer.md, "Applying Changesets".
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "store/tree/layer_tree.hpp"
#include "store/tree/tree.hpp"

namespace berth::store {

/// One layer as the repository has it.
struct StoredLayer {
  std::string name;  ///< for errors, e.g. "layer 0123456789ab"
  StoredDirectory root;
  LowerLinks links;
};

/// The merge of the layers applied so far. Reads directory listings through a loader, one at a time, and no file
/// content; never looks at a file system, so no link is ever followed.
///
/// A whiteout hides one name, an opaque marker all names, of lower layers only, wherever they stand among their
/// siblings. A directory that a layer hides, and of which it has nothing but markers of what was in it, stays hidden. A
/// directory over a directory merges, with the upper's owner and mode unless the upper is only implied; anything else
/// replaces. No marker and no bookkeeping of aufs is left in the result.
class Merge {
 public:
  /// The nodes of all layers of one image are counted together, which bounds the time of a merge; the memory is that of
  /// the result.
  static constexpr TreeLimits default_limits = {10'000'000, std::uint64_t{512} << 20U};

  /// @param implied DIR_META of directories without an entry (see implied_directory_xattr)
  /// @param plain DIR_META of directories that have an entry in no layer: 0755 root:root
  Merge(DirectoryLoader load, const Checksum& implied, const Checksum& plain,
        const TreeLimits& limits = default_limits);

  /// Merges the next layer on top.
  /// @throws Error(verification) naming the layer for illegal names, nesting over directory_depth_limit, more nodes
  ///   than the limit with the layers below, and hard links whose target the lower layers do not have
  void apply(const StoredLayer& layer);

  /// The result; holds no LowerLink.
  [[nodiscard]] const Directory& root() const { return root_; }

 private:
  void merge_directory(Directory& lower, const Checksum& tree, std::size_t depth, bool hidden);
  [[nodiscard]] bool is_hollow(const StoredDirectory& directory, std::size_t depth);
  [[nodiscard]] bool has_links_below(const std::string& name) const;
  void count_memory(const std::string& name);
  DirectoryListing load(const Checksum& tree, std::size_t depth);
  void hide(Directory& lower, const DirectoryListing& upper) const;
  void hide_one(Directory& lower, std::string_view name) const;
  void merge_child(Directory& lower, const std::string& name, const StoredDirectory& upper, std::size_t depth,
                   bool hidden);
  [[nodiscard]] Checksum resolve(const std::string& path, const std::string& target);
  void place_link(const std::string& path, const Checksum& content);

  TreeLimits limits_;
  DirectoryLoader load_;
  Checksum implied_;
  Checksum plain_;
  Directory root_;
  std::uint64_t nodes_ = 0;                ///< read so far
  std::uint64_t memory_ = 0;               ///< bytes, without subtracting removed nodes
  const LowerLinks* links_ = nullptr;      ///< of the layer that is applied
  std::vector<const std::string*> trail_;  ///< the names of the directories that lead to the current one
};

}  // namespace berth::store
