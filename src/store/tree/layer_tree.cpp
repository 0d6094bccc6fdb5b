// SPDX-License-Identifier: LGPL-2.1-or-later
#include "store/tree/layer_tree.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <utility>

#include "base/error.hpp"
#include "base/shown_text.hpp"
#include "store/tree/entry_name.hpp"

namespace berth::store {
namespace {

[[noreturn]] void refuse(std::string message) {
  throw base::Error(base::ErrorKind::verification, std::move(message),
                    "berth does not unpack such layers; have the image built without that entry");
}

/// Cuts the first component off `rest`.
std::string_view take_component(std::string_view& rest) {
  const auto slash = rest.find('/');
  const auto component = rest.substr(0, slash);
  rest = slash == std::string_view::npos ? std::string_view() : rest.substr(slash + 1);
  return component;
}

void collect_links(const Directory& directory, const std::string& prefix, LowerLinks& links) {
  for (const auto& [name, node] : directory.children) {
    if (const auto* link = std::get_if<LowerLink>(&node)) {
      links.emplace(prefix + name, link->target);
    } else if (const auto* inner = directory_in(node)) {
      collect_links(*inner, prefix + name + "/", links);
    }
  }
}

}  // namespace

LayerTree::LayerTree(const Checksum& implied, const TreeLimits& limits) : implied_(implied), limits_(limits) {
  root_.meta = implied;
}

void LayerTree::count_memory(std::size_t bytes) {
  memory_ += bytes;
  if (memory_ > limits_.memory) {
    refuse(fmt::format("the names in the layer take more than {} MiB of memory", limits_.memory >> 20U));
  }
}

void LayerTree::count_node(const Directory& directory, std::string_view name) {
  if (directory.children.size() >= entry_limit) {
    refuse(fmt::format("a directory has more than {} entries, which is more than OSTree stores", entry_limit));
  }
  if (++nodes_ > limits_.nodes) {
    refuse(fmt::format("the layer has more than {} files and directories", limits_.nodes));
  }
  count_memory(node_cost + name.size());
}

LayerTree::Walk LayerTree::begin(std::string_view path) {
  Walk walk{{&root_}, {}, 0, 0};
  while (!path.empty()) {
    walk.ahead.emplace_back(take_component(path));
  }
  std::reverse(walk.ahead.begin(), walk.ahead.end());
  walk.own = walk.ahead.size();
  return walk;
}

/// @return false when `content` is not a symbolic link, or exceeds link_limit
bool LayerTree::follow(Walk& walk, const Checksum& content) {
  const auto found = link_targets_.find(content);
  if (found == link_targets_.end() || ++walk.links > link_limit) {
    return false;
  }
  std::string_view target = found->second;
  if (target.starts_with('/')) {
    walk.at.resize(1);
  }
  std::vector<std::string> components;
  while (!target.empty()) {
    components.emplace_back(take_component(target));
  }
  walk.ahead.insert(walk.ahead.end(), components.rbegin(), components.rend());
  return true;
}

/// Enters the next component. A link's target may have `.`, `..` and empty components.
LayerTree::Step LayerTree::step(Walk& walk) {
  const auto component = walk.ahead.back();
  const auto left = walk.ahead.size() - 1;
  if (component.empty() || component == "." || component == "..") {
    walk.ahead.pop_back();
    walk.own = std::min(walk.own, left);
    if (component == ".." && walk.at.size() == 1) {
      return Step::blocked;  // out of the tree
    }
    if (component == "..") {
      walk.at.pop_back();
    }
    return Step::entered;
  }
  auto& children = walk.at.back()->children;
  const auto found = children.find(component);
  if (found == children.end()) {
    return Step::absent;
  }
  walk.ahead.pop_back();
  walk.own = std::min(walk.own, left);
  if (auto* directory = directory_in(found->second)) {
    walk.at.push_back(directory);
    return Step::entered;
  }
  const auto* content = std::get_if<Checksum>(&found->second);
  return content != nullptr && follow(walk, *content) ? Step::entered : Step::blocked;
}

Directory& LayerTree::add_implied(Directory& parent, std::string_view name) {
  count_node(parent, name);
  auto implied = std::make_unique<Directory>();
  implied->meta = implied_;
  return *directory_in(parent.children.emplace(name, std::move(implied)).first->second);
}

Directory& LayerTree::parent_of(std::string_view path) {
  Directory* directory = &root_;
  auto rest = parent_path(path);
  while (!rest.empty()) {
    const auto component = take_component(rest);
    const auto found = directory->children.find(component);
    directory = found == directory->children.end() ? &add_implied(*directory, component) : directory_in(found->second);
    if (directory == nullptr) {
      return parent_through_links(path);
    }
  }
  return *directory;
}

Directory& LayerTree::parent_through_links(std::string_view path) {
  auto walk = begin(parent_path(path));
  std::string shown;
  while (!walk.ahead.empty()) {
    if (walk.links == 0) {
      shown = walk.ahead.back();
    }
    const auto entered = step(walk);
    // The target of a link has to exist in this layer: otherwise it is not known to be a directory.
    if (entered == Step::blocked || (entered == Step::absent && walk.ahead.size() > walk.own)) {
      refuse(fmt::format("{} goes through {}, which the same layer makes a file or link", base::quoted_name(path),
                         base::quoted_name(shown)));
    }
    if (entered == Step::absent) {
      add_implied(*walk.at.back(), walk.ahead.back());
    }
  }
  if (walk.at.size() > directory_depth_limit) {
    refuse(fmt::format("{} is nested deeper than {} directories", base::quoted_name(path), directory_depth_limit));
  }
  return *walk.at.back();
}

Node* LayerTree::find(std::string_view path) {
  auto walk = begin(parent_path(path));
  while (!walk.ahead.empty()) {
    if (step(walk) != Step::entered) {
      return nullptr;
    }
  }
  auto& children = walk.at.back()->children;
  const auto found = children.find(base_name(path));
  return found == children.end() ? nullptr : &found->second;
}

bool LayerTree::is_below_file(std::string_view path) const {
  const Directory* directory = &root_;
  auto rest = parent_path(path);
  while (!rest.empty()) {
    const auto found = directory->children.find(take_component(rest));
    if (found == directory->children.end()) {
      return false;
    }
    directory = directory_in(found->second);
    if (directory == nullptr) {
      return true;
    }
  }
  return false;
}

void LayerTree::place(std::string_view path, Node node) {
  auto& directory = parent_of(path);
  auto& children = directory.children;
  const auto name = base_name(path);
  const auto found = children.find(name);
  if (found != children.end()) {
    found->second = std::move(node);
    return;
  }
  count_node(directory, name);
  children.emplace(name, std::move(node));
}

void LayerTree::add_file(std::string_view path, const Checksum& content) {
  if (path.empty()) {
    refuse("the root of the image is a file or link");
  }
  place(path, content);
}

void LayerTree::add_symbolic_link(std::string_view path, const Checksum& content, std::string_view target) {
  add_file(path, content);
  if (link_targets_.emplace(content, target).second) {
    count_memory(node_cost + target.size());
  }
}

void LayerTree::add_directory(std::string_view path, const Checksum& meta) {
  if (path.empty()) {
    root_.meta = meta;
    return;
  }
  if (auto* node = find(path); node != nullptr && directory_in(*node) != nullptr) {
    directory_in(*node)->meta = meta;
    return;
  }
  auto directory = std::make_unique<Directory>();
  directory->meta = meta;
  place(path, std::move(directory));
}

void LayerTree::add_hard_link(std::string_view path, std::string_view target) {
  if (path.empty() || target.empty()) {
    refuse(fmt::format("the hard link {} to {} involves the root of the image", base::quoted_name(path),
                       base::quoted_name(target)));
  }
  const Node* node = find(target);
  if (node == nullptr && is_below_file(target)) {
    refuse(fmt::format("the hard link {} goes through a file or link of the same layer to {}", base::quoted_name(path),
                       base::quoted_name(target)));
  }
  if (node != nullptr && directory_in(*node) != nullptr) {
    refuse(fmt::format("the hard link {} has the directory {} as its target", base::quoted_name(path),
                       base::quoted_name(target)));
  }
  if (const auto* content = node == nullptr ? nullptr : std::get_if<Checksum>(node)) {
    place(path, Checksum(*content));
    return;
  }
  const auto* lower = node == nullptr ? nullptr : std::get_if<LowerLink>(node);
  LowerLink link{lower == nullptr ? std::string(target) : lower->target};
  lower_link_bytes_ += path.size() + link.target.size();
  if (lower_link_bytes_ > lower_link_limit) {
    refuse(fmt::format("the layer has more than {} bytes of hard links to lower layers", lower_link_limit));
  }
  place(path, std::move(link));
}

void LayerTree::remove(std::string_view path) {
  if (!path.empty()) {
    auto& children = parent_of(path).children;
    if (const auto found = children.find(base_name(path)); found != children.end()) {
      memory_ -= node_cost + found->first.size();  // descendants are not subtracted: the sum is an upper bound
      children.erase(found);
    }
  }
}

LowerLinks LayerTree::lower_links() const {
  LowerLinks links;
  collect_links(root_, "", links);
  return links;
}

}  // namespace berth::store
