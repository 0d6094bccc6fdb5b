// SPDX-License-Identifier: LGPL-2.1-or-later
#include "store/ostree/object_walk.hpp"

#include <fmt/format.h>

#include "base/error.hpp"

namespace berth::store {
namespace {

using PathVisitor = std::function<void(const ObjectName& name, const std::string& path)>;

void visit_directory(const Repository& repository, const StoredDirectory& directory, const std::string& path,
                     const PathVisitor& visit) {
  const std::string shown = path.empty() ? "/" : path;
  visit({OSTREE_OBJECT_TYPE_DIR_META, directory.meta}, shown);
  const ObjectName tree{OSTREE_OBJECT_TYPE_DIR_TREE, directory.tree};
  visit(tree, shown);
  if (repository.verify(tree)) {
    return;
  }
  const auto listing = repository.load_directory(directory.tree);
  for (const auto& [name, content] : listing.files) {
    visit({OSTREE_OBJECT_TYPE_FILE, content}, fmt::format("{}/{}", path, name));
  }
  for (const auto& [name, inner] : listing.directories) {
    visit_directory(repository, inner, fmt::format("{}/{}", path, name), visit);
  }
}

}  // namespace

bool ObjectWalk::enter(const ObjectName& name) {
  if (stop_.stop_requested()) {
    base::throw_interrupted();
  }
  if (!objects_.insert(name).second) {
    return false;
  }
  if (known_ != nullptr && known_->contains(name)) {
    return true;
  }
  if (auto fault = repository_.verify(name)) {
    faults_.push_back(std::move(*fault));
    return false;
  }
  return true;
}

void ObjectWalk::add(const Checksum& commit) {
  if (enter({OSTREE_OBJECT_TYPE_COMMIT, commit})) {
    add_directory(repository_.load_commit(commit).root);
  }
}

void ObjectWalk::add_directory(const StoredDirectory& root) {
  std::vector<StoredDirectory> pending{root};
  while (!pending.empty()) {
    const auto directory = pending.back();
    pending.pop_back();
    enter({OSTREE_OBJECT_TYPE_DIR_META, directory.meta});
    if (!enter({OSTREE_OBJECT_TYPE_DIR_TREE, directory.tree})) {
      continue;
    }
    const auto listing = repository_.load_directory(directory.tree);
    for (const auto& [name, content] : listing.files) {
      objects_.insert({OSTREE_OBJECT_TYPE_FILE, content});
    }
    for (const auto& [name, inner] : listing.directories) {
      pending.push_back(inner);
    }
  }
}

void visit_paths(const Repository& repository, const Checksum& commit, const PathVisitor& visit) {
  const ObjectName name{OSTREE_OBJECT_TYPE_COMMIT, commit};
  visit(name, "/");
  if (!repository.verify(name)) {
    visit_directory(repository, repository.load_commit(commit).root, "", visit);
  }
}

}  // namespace berth::store
