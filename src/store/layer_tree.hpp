// What one layer's archive adds up to, entry by entry, in memory. Nothing here touches a disk.
#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <string_view>

#include "store/tree.hpp"

namespace berth::store {

/// Hard links of a layer to names that only lower layers can hold: path → target, normalised.
using LowerLinks = std::map<std::string, std::string>;

/// The tree of a layer. Later entries replace earlier ones of the same path as extracting would: a folder over a
/// folder keeps what is in it, anything else replaces. A folder without an entry of its own is implied.
/// Paths are normalised; every method throws Error(verification) naming the entry when one of its parents is
/// something else than a folder in this layer, so that nothing is ever reached through a symbolic link.
class LayerTree {
 public:
  /// Most files and folders in one layer: what bounds the memory of an import, at some 150 bytes each.
  static constexpr std::size_t node_limit = 4'000'000;
  /// Most bytes in names of links to lower layers.
  static constexpr std::size_t lower_link_limit = std::size_t{16} << 20U;

  /// @param implied DIR_META of folders without an entry
  explicit LayerTree(const Checksum& implied);

  void add_file(std::string_view path, const Checksum& content);
  /// An empty path is the root.
  void add_folder(std::string_view path, const Checksum& meta);
  /// Shares what `target` is at this moment; if this layer does not have it, it is left to lower layers.
  void add_hard_link(std::string_view path, std::string_view target);
  /// Whether a parent of `path` is a file or link of this layer, so that `path` cannot be in it.
  [[nodiscard]] bool is_below_file(std::string_view path) const;
  /// Forgets `path`: the archive has something there that is left out.
  void remove(std::string_view path);

  [[nodiscard]] const Folder& root() const { return root_; }
  /// All links to lower layers; valid after the last entry.
  [[nodiscard]] LowerLinks lower_links() const;

 private:
  Folder& parent_of(std::string_view path);
  Node* find(std::string_view path);
  void place(std::string_view path, Node node);
  void count_node();

  Checksum implied_;
  Folder root_;
  std::size_t nodes_ = 0;
  std::size_t lower_link_bytes_ = 0;
};

}  // namespace berth::store
