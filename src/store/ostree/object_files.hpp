// SPDX-License-Identifier: LGPL-2.1-or-later
// The files of objects: `objects/XX/REST.TYPE` in the repository's directory.
#pragma once

#include <ostree.h>
#include <sys/types.h>

#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "store/tree/checksum.hpp"

namespace berth::store {

/// One object of the repository.
struct ObjectName {
  OstreeObjectType type = OSTREE_OBJECT_TYPE_FILE;
  Checksum checksum;

  friend auto operator<=>(const ObjectName&, const ObjectName&) = default;
};

/// Identifies a file regardless of its names.
using Inode = std::pair<dev_t, ino_t>;

/// The file of one object.
struct ObjectFile {
  ObjectName name;
  std::uint64_t bytes = 0;  ///< on the disk
  dev_t device = 0;
  ino_t inode = 0;
  nlink_t links = 0;
};

/// libostree's name of an object type, which is also the suffix of the files: "commit".
const char* type_name(OstreeObjectType type);

/// Path of an object relative to the directory `objects`: `ab/cdef….file`.
std::string path_in_objects(const ObjectName& name);

/// Path of an object relative to the repository's directory.
std::string object_path(const ObjectName& name);

/// Calls `visit` for each object in the repository; detached metadata (`.commitmeta`) is reported as an object of that
/// type. Other files of libostree are ignored.
void visit_object_files(int repository, const std::function<void(const ObjectFile&)>& visit);

/// All commits in the repository, named by a ref or not.
std::vector<Checksum> stored_commits(int repository);

}  // namespace berth::store
