#include "store/layer_tree.hpp"

#include <fmt/format.h>

#include <utility>

#include "base/error.hpp"
#include "store/entry_name.hpp"

namespace berth::store {
namespace {

[[noreturn]] void refuse(std::string sentence) {
  throw base::Error(base::ErrorKind::verification, std::move(sentence),
                    "berth unpacks no such layer; whoever builds the image can leave that entry out");
}

/// Cuts the first component off `rest`.
std::string_view take_component(std::string_view& rest) {
  const auto slash = rest.find('/');
  const auto component = rest.substr(0, slash);
  rest = slash == std::string_view::npos ? std::string_view() : rest.substr(slash + 1);
  return component;
}

void collect_links(const Folder& folder, const std::string& prefix, LowerLinks& links) {
  for (const auto& [name, node] : folder.children) {
    if (const auto* link = std::get_if<LowerLink>(&node)) {
      links.emplace(prefix + name, link->target);
    } else if (const auto* inner = folder_in(node)) {
      collect_links(*inner, prefix + name + "/", links);
    }
  }
}

}  // namespace

LayerTree::LayerTree(const Checksum& implied) : implied_(implied) {
  root_.meta = implied;
}

void LayerTree::count_node() {
  if (++nodes_ > node_limit) {
    refuse(fmt::format("the layer has more than {} files and folders", node_limit));
  }
}

Folder& LayerTree::parent_of(std::string_view path) {
  Folder* folder = &root_;
  auto rest = parent_path(path);
  while (!rest.empty()) {
    const auto component = take_component(rest);
    auto found = folder->children.find(component);
    if (found == folder->children.end()) {
      count_node();
      auto implied = std::make_unique<Folder>();
      implied->meta = implied_;
      found = folder->children.emplace(component, std::move(implied)).first;
    }
    Folder* next = folder_in(found->second);
    if (next == nullptr) {
      refuse(fmt::format("{} goes through {}, which the same layer makes a file or link", quoted_name(path),
                         quoted_name(component)));
    }
    folder = next;
  }
  return *folder;
}

Node* LayerTree::find(std::string_view path) {
  Folder* folder = &root_;
  while (true) {
    const auto component = take_component(path);
    const auto found = folder->children.find(component);
    if (found == folder->children.end() || path.empty()) {
      return found == folder->children.end() ? nullptr : &found->second;
    }
    folder = folder_in(found->second);
    if (folder == nullptr) {
      return nullptr;
    }
  }
}

bool LayerTree::is_below_file(std::string_view path) const {
  const Folder* folder = &root_;
  auto rest = parent_path(path);
  while (!rest.empty()) {
    const auto found = folder->children.find(take_component(rest));
    if (found == folder->children.end()) {
      return false;
    }
    folder = folder_in(found->second);
    if (folder == nullptr) {
      return true;
    }
  }
  return false;
}

void LayerTree::place(std::string_view path, Node node) {
  auto& children = parent_of(path).children;
  const auto name = base_name(path);
  const auto found = children.find(name);
  if (found != children.end()) {
    found->second = std::move(node);
    return;
  }
  count_node();
  children.emplace(name, std::move(node));
}

void LayerTree::add_file(std::string_view path, const Checksum& content) {
  if (path.empty()) {
    refuse("the root of the image is a file or link");
  }
  place(path, content);
}

void LayerTree::add_folder(std::string_view path, const Checksum& meta) {
  if (path.empty()) {
    root_.meta = meta;
    return;
  }
  if (auto* node = find(path); node != nullptr && folder_in(*node) != nullptr) {
    folder_in(*node)->meta = meta;
    return;
  }
  auto folder = std::make_unique<Folder>();
  folder->meta = meta;
  place(path, std::move(folder));
}

void LayerTree::add_hard_link(std::string_view path, std::string_view target) {
  if (path.empty() || target.empty()) {
    refuse(
        fmt::format("the hard link {} to {} is about the root of the image", quoted_name(path), quoted_name(target)));
  }
  if (is_below_file(target)) {
    refuse(fmt::format("the hard link {} goes through a file or link of the same layer to {}", quoted_name(path),
                       quoted_name(target)));
  }
  const Node* node = find(target);
  if (node != nullptr && folder_in(*node) != nullptr) {
    refuse(fmt::format("the hard link {} has the folder {} as its target", quoted_name(path), quoted_name(target)));
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
