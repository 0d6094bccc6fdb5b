// SPDX-License-Identifier: LGPL-2.1-or-later
// The objects of commits.
#pragma once

#include <cstddef>
#include <cstring>
#include <functional>
#include <stop_token>
#include <string>
#include <unordered_set>
#include <vector>

#include "store/ostree/repository.hpp"

namespace berth::store {

/// Objects are named by digests, any bytes of which serve as a hash.
struct HashObject {
  std::size_t operator()(const ObjectName& name) const noexcept {
    std::size_t value = 0;
    std::memcpy(&value, name.checksum.bytes.data(), sizeof value);
    return value + name.type;
  }
};
using ObjectSet = std::unordered_set<ObjectName, HashObject>;

/// The objects of any number of commits, each once. Commits, directories and their attributes are compared with their
/// checksums before they are used; contents are only named.
class ObjectWalk {
 public:
  /// @param known objects that need not be compared again; must outlive the walk
  explicit ObjectWalk(const Repository& repository, std::stop_token stop = {}, const ObjectSet* known = nullptr)
      : repository_(repository), stop_(std::move(stop)), known_(known) {}

  /// Adds a commit and everything below it.
  /// @throws Interrupted
  void add(const Checksum& commit);

  [[nodiscard]] const ObjectSet& objects() const { return objects_; }
  /// Commits and directories that could not be read, in the order of the walk. The objects below them are not known.
  [[nodiscard]] const std::vector<ObjectFault>& faults() const { return faults_; }

 private:
  bool enter(const ObjectName& name);
  void add_directory(const StoredDirectory& directory);

  const Repository& repository_;
  std::stop_token stop_;
  const ObjectSet* known_;
  ObjectSet objects_;
  std::vector<ObjectFault> faults_;
};

/// Calls `visit` with each object of a commit and each path it has in the image: `/` and its descendants, directories
/// twice (listing and attributes). Directories that cannot be read are visited, their contents are not.
void visit_paths(const Repository& repository, const Checksum& commit,
                 const std::function<void(const ObjectName& name, const std::string& path)>& visit);

}  // namespace berth::store
