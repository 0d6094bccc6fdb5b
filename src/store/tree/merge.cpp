// SPDX-License-Identifier: LGPL-2.1-or-later
#include "store/tree/merge.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <string>
#include <utility>

#include "base/error.hpp"
#include "base/shown_text.hpp"
#include "store/tree/entry_name.hpp"

namespace berth::store {
namespace {

[[noreturn]] void refuse(std::string message) {
  throw base::Error(base::ErrorKind::verification, std::move(message),
                    "berth does not unpack such images; have it built without that entry");
}

/// Walks down `path`; nullptr when a component is absent or no directory.
Directory* find_directory(Directory& root, std::string_view path) {
  Directory* directory = &root;
  while (!path.empty() && directory != nullptr) {
    const auto slash = path.find('/');
    const auto found = directory->children.find(path.substr(0, slash));
    directory = found == directory->children.end() ? nullptr : directory_in(found->second);
    path = slash == std::string_view::npos ? std::string_view() : path.substr(slash + 1);
  }
  return directory;
}

/// Whether a path is a marker, or is below one, and so never part of an image.
bool within_marker(std::string_view path) {
  for (; !path.empty(); path = parent_path(path)) {
    if (meaning_of(base_name(path)) != NameMeaning::plain) {
      return true;
    }
  }
  return false;
}

}  // namespace

Merge::Merge(DirectoryLoader load, const Checksum& implied, const Checksum& plain, const TreeLimits& limits)
    : limits_(limits), load_(std::move(load)), implied_(implied), plain_(plain) {
  root_.meta = plain;
}

void Merge::apply(const StoredLayer& layer) {
  base::in_context("merging " + layer.name, [&] {
    // Links refer to the lower layers as they were before this layer.
    std::map<std::string, Checksum> links;
    for (const auto& [path, target] : layer.links) {
      if (!within_marker(path)) {
        links.emplace(path, resolve(path, target));
      }
    }
    if (layer.root.meta != implied_) {
      root_.meta = layer.root.meta;
    }
    links_ = &layer.links;
    trail_.clear();
    merge_directory(root_, layer.root.tree, 0, false);
    links_ = nullptr;
    for (const auto& [path, content] : links) {
      place_link(path, content);
    }
  });
}

Checksum Merge::resolve(const std::string& path, const std::string& target) {
  Directory* directory = find_directory(root_, parent_path(target));
  if (directory != nullptr) {
    const auto found = directory->children.find(base_name(target));
    const auto* content = found == directory->children.end() ? nullptr : std::get_if<Checksum>(&found->second);
    if (content != nullptr) {
      return *content;
    }
  }
  refuse(fmt::format("the hard link {} has the target {}, which is not a file of this layer or of a lower one",
                     base::quoted_name(path), base::quoted_name(target)));
}

void Merge::place_link(const std::string& path, const Checksum& content) {
  // The layer has the parents of its links as directories, so the merge has them, too.
  Directory* directory = find_directory(root_, parent_path(path));
  if (directory == nullptr) {
    refuse(fmt::format("the parent directory of the hard link {} does not exist", base::quoted_name(path)));
  }
  directory->children.insert_or_assign(std::string(base_name(path)), content);
}

void Merge::hide_one(Directory& lower, std::string_view name) const {
  const auto meaning = meaning_of(name);
  if (meaning == NameMeaning::opaque) {
    lower.children.clear();
  } else if (meaning == NameMeaning::whiteout) {
    if (const auto found = lower.children.find(hidden_name(name)); found != lower.children.end()) {
      lower.children.erase(found);
    }
  }
}

void Merge::hide(Directory& lower, const DirectoryListing& upper) const {
  for (const auto& [name, content] : upper.files) {
    hide_one(lower, name);
  }
  for (const auto& [name, directory] : upper.directories) {
    hide_one(lower, name);
  }
}

DirectoryListing Merge::load(const Checksum& tree, std::size_t depth) {
  if (depth > directory_depth_limit) {
    refuse(fmt::format("directories are nested deeper than {}", directory_depth_limit));
  }
  auto listing = load_(tree);
  nodes_ += listing.files.size() + listing.directories.size();
  if (nodes_ > limits_.nodes) {
    refuse(fmt::format("the layers have more than {} files and directories together", limits_.nodes));
  }
  return listing;
}

void Merge::count_memory(const std::string& name) {
  memory_ += LayerTree::node_cost + name.size();
  if (memory_ > limits_.memory) {
    refuse(fmt::format("the names in the layers take more than {} MiB of memory", limits_.memory >> 20U));
  }
}

/// Whether the layer has a hard link in or below the directory `name` of the current directory.
bool Merge::has_links_below(const std::string& name) const {
  std::string prefix;
  for (const auto* component : trail_) {
    prefix += *component + "/";
  }
  prefix += name + "/";
  const auto found = links_ == nullptr ? LowerLinks::const_iterator() : links_->lower_bound(prefix);
  return links_ != nullptr && found != links_->end() && found->first.starts_with(prefix);
}

/// Whether a directory without an entry of its own has nothing but markers, at all levels.
bool Merge::is_hollow(const StoredDirectory& directory, std::size_t depth) {
  if (directory.meta != implied_) {
    return false;
  }
  const auto listing = load(directory.tree, depth);
  const auto hides = [](const auto& file) {
    const auto meaning = meaning_of(file.first);
    return meaning == NameMeaning::whiteout || meaning == NameMeaning::opaque;
  };
  return std::all_of(listing.files.begin(), listing.files.end(), hides) &&
         std::all_of(listing.directories.begin(), listing.directories.end(),
                     [&](const auto& inner) { return is_hollow(inner.second, depth + 1); });
}

/// @param hidden whether this layer hides all entries of lower layers in the directory
void Merge::merge_directory(Directory& lower, const Checksum& tree, std::size_t depth, bool hidden) {
  const auto upper = load(tree, depth);
  hide(lower, upper);
  hidden = hidden || upper.files.contains(std::string(opaque_marker));
  for (const auto& [name, content] : upper.files) {
    if (meaning_of(name) == NameMeaning::plain) {
      if (lower.children.insert_or_assign(name, content).second) {
        count_memory(name);
      }
    }
  }
  for (const auto& [name, directory] : upper.directories) {
    if (meaning_of(name) != NameMeaning::plain) {
      continue;
    }
    const bool gone = hidden || upper.files.contains(whiteout_of(name));
    if (!gone || has_links_below(name) || !is_hollow(directory, depth + 1)) {
      merge_child(lower, name, directory, depth, gone);
    }
  }
}

void Merge::merge_child(Directory& lower, const std::string& name, const StoredDirectory& upper, std::size_t depth,
                        bool hidden) {
  const auto size = lower.children.size();
  Node& node = lower.children[name];
  if (lower.children.size() > size) {
    count_memory(name);
  }
  if (directory_in(node) == nullptr) {
    auto fresh = std::make_unique<Directory>();
    fresh->meta = plain_;
    node = std::move(fresh);
  }
  Directory& directory = *directory_in(node);
  if (upper.meta != implied_) {
    directory.meta = upper.meta;
  }
  trail_.push_back(&name);
  merge_directory(directory, upper.tree, depth + 1, hidden);
  trail_.pop_back();
}

}  // namespace berth::store
