// SPDX-License-Identifier: LGPL-2.1-or-later
// The tree of one layer, built entry by entry in memory. Nothing here accesses a disk.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "store/tree/tree.hpp"

namespace berth::store {

/// Hard links of a layer to names that only lower layers can hold: path → target, normalised.
using LowerLinks = std::map<std::string, std::string>;

/// Limits of a tree; an image that exceeds them is refused.
struct TreeLimits {
  std::uint64_t nodes = 0;   ///< most files and directories
  std::uint64_t memory = 0;  ///< most bytes of names and nodes, with LayerTree::node_cost for each node
};

/// The tree of a layer. Later entries replace earlier ones of the same path, as in an extraction: a directory over a
/// directory keeps its children, anything else replaces. A directory without an entry of its own is implied. Paths are
/// normalised. A parent that is a symbolic link to a directory of this layer stands for that directory, as for a
/// process whose root is the image: links are followed in memory, never on a disk, and never out of the tree. All
/// methods throw Error(verification) naming the entry when one of its parents is another kind of entry of this layer.
class LayerTree {
 public:
  static constexpr TreeLimits default_limits = {4'000'000, std::uint64_t{256} << 20U};
  static constexpr std::size_t node_cost = 144;
  /// Most entries in one directory: OSTree stores listings of up to 10 MiB, and an entry takes 39 bytes at least.
  static constexpr std::size_t entry_limit = (std::size_t{10} << 20U) / 39;
  /// Most symbolic links on the way to one entry, as in Linux.
  static constexpr unsigned link_limit = 40;
  /// Most bytes in names of links to lower layers.
  static constexpr std::size_t lower_link_limit = std::size_t{16} << 20U;

  /// @param implied DIR_META of directories without an entry
  explicit LayerTree(const Checksum& implied, const TreeLimits& limits = default_limits);

  void add_file(std::string_view path, const Checksum& content);
  /// As add_file. @param target of the link, as the archive has it
  void add_symbolic_link(std::string_view path, const Checksum& content, std::string_view target);
  /// An empty path is the root.
  void add_directory(std::string_view path, const Checksum& meta);
  /// Shares the current content of `target`; if this layer has none, the link is resolved in lower layers.
  void add_hard_link(std::string_view path, std::string_view target);
  /// Whether a parent of `path` is a file or link of this layer, so that `path` cannot be in it.
  [[nodiscard]] bool is_below_file(std::string_view path) const;
  /// Removes `path`, for an entry of the archive that is left out.
  void remove(std::string_view path);

  [[nodiscard]] const Directory& root() const { return root_; }
  /// All links to lower layers; valid after the last entry.
  [[nodiscard]] LowerLinks lower_links() const;

 private:
  Directory& parent_of(std::string_view path);
  Directory& parent_through_links(std::string_view path);
  Directory& add_implied(Directory& parent, std::string_view name);
  /// The state of a walk: the directories from the root on, and the components still to be entered, the next one last.
  struct Walk {
    std::vector<Directory*> at;
    std::vector<std::string> ahead;
    std::size_t own = 0;  ///< of these, the components of the path itself rather than of a link's target
    unsigned links = 0;   ///< followed so far
  };
  enum class Step { entered, absent, blocked };
  Step step(Walk& walk);
  [[nodiscard]] Walk begin(std::string_view path);
  bool follow(Walk& walk, const Checksum& content);
  Node* find(std::string_view path);
  void place(std::string_view path, Node node);
  void count_node(const Directory& directory, std::string_view name);
  void count_memory(std::size_t bytes);

  Checksum implied_;
  TreeLimits limits_;
  Directory root_;
  std::map<Checksum, std::string> link_targets_;  ///< of symbolic links, by their contents
  std::size_t nodes_ = 0;
  std::size_t memory_ = 0;  ///< bytes
  std::size_t lower_link_bytes_ = 0;
};

}  // namespace berth::store
