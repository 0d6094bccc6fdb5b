#include "store/ostree/object_walk.hpp"

#include <fmt/format.h>

#include "base/error.hpp"

namespace berth::store {
namespace {

using PathVisitor = std::function<void(const ObjectName& name, const std::string& path)>;

void visit_folder(const Repository& repository, const StoredFolder& folder, const std::string& path,
                  const PathVisitor& visit) {
  const std::string shown = path.empty() ? "/" : path;
  visit({OSTREE_OBJECT_TYPE_DIR_META, folder.meta}, shown);
  const ObjectName tree{OSTREE_OBJECT_TYPE_DIR_TREE, folder.tree};
  visit(tree, shown);
  if (repository.examine(tree)) {
    return;
  }
  const auto listing = repository.load_folder(folder.tree);
  for (const auto& [name, content] : listing.files) {
    visit({OSTREE_OBJECT_TYPE_FILE, content}, fmt::format("{}/{}", path, name));
  }
  for (const auto& [name, inner] : listing.folders) {
    visit_folder(repository, inner, fmt::format("{}/{}", path, name), visit);
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
  if (auto fault = repository_.examine(name)) {
    faults_.push_back(std::move(*fault));
    return false;
  }
  return true;
}

void ObjectWalk::add(const Checksum& commit) {
  if (enter({OSTREE_OBJECT_TYPE_COMMIT, commit})) {
    add_folder(repository_.load_commit(commit).root);
  }
}

void ObjectWalk::add_folder(const StoredFolder& root) {
  std::vector<StoredFolder> pending{root};
  while (!pending.empty()) {
    const auto folder = pending.back();
    pending.pop_back();
    enter({OSTREE_OBJECT_TYPE_DIR_META, folder.meta});
    if (!enter({OSTREE_OBJECT_TYPE_DIR_TREE, folder.tree})) {
      continue;
    }
    const auto listing = repository_.load_folder(folder.tree);
    for (const auto& [name, content] : listing.files) {
      objects_.insert({OSTREE_OBJECT_TYPE_FILE, content});
    }
    for (const auto& [name, inner] : listing.folders) {
      pending.push_back(inner);
    }
  }
}

void visit_paths(const Repository& repository, const Checksum& commit, const PathVisitor& visit) {
  const ObjectName name{OSTREE_OBJECT_TYPE_COMMIT, commit};
  visit(name, "/");
  if (!repository.examine(name)) {
    visit_folder(repository, repository.load_commit(commit).root, "", visit);
  }
}

}  // namespace berth::store
