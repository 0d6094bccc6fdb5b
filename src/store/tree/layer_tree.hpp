// What one layer's archive adds up to, entry by entry, in memory. Nothing here touches a disk.
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

/// What a tree may take; beyond it an image is refused.
struct TreeLimits {
  std::uint64_t nodes = 0;   ///< most files and directories
  std::uint64_t memory = 0;  ///< most bytes that names and nodes take, LayerTree::node_cost each besides the names
};

/// The tree of a layer. Later entries replace earlier ones of the same path as extracting would: a directory over a
/// directory keeps what is in it, anything else replaces. A directory without an entry of its own is implied.
/// Paths are normalised. A parent that is a symbolic link to a directory of this layer means that directory, as to a
/// process whose root is the image: links are followed in memory, never on a disk, and never out of the tree. Every
/// method throws Error(verification) naming the entry when one of its parents is something else in this layer.
class LayerTree {
 public:
  static constexpr TreeLimits default_limits = {4'000'000, std::uint64_t{256} << 20U};
  static constexpr std::size_t node_cost = 144;
  /// Most entries in one directory: more make its listing longer than OSTree stores, 10 MiB at 39 bytes each at least.
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
  /// Shares what `target` is at this moment; if this layer does not have it, it is left to lower layers.
  void add_hard_link(std::string_view path, std::string_view target);
  /// Whether a parent of `path` is a file or link of this layer, so that `path` cannot be in it.
  [[nodiscard]] bool is_below_file(std::string_view path) const;
  /// Forgets `path`: the archive has something there that is left out.
  void remove(std::string_view path);

  [[nodiscard]] const Directory& root() const { return root_; }
  /// All links to lower layers; valid after the last entry.
  [[nodiscard]] LowerLinks lower_links() const;

 private:
  Directory& parent_of(std::string_view path);
  Directory& parent_through_links(std::string_view path);
  Directory& add_implied(Directory& parent, std::string_view name);
  /// Where a walk is: the directories from the root on, and what is still to be entered, the next component last.
  struct Walk {
    std::vector<Directory*> at;
    std::vector<std::string> ahead;
    std::size_t own = 0;  ///< how many of these are of the path itself, and of no link's target
    unsigned links = 0;   ///< that were followed
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
