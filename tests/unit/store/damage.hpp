// Damage done to the objects of a repository, as disks and mistaken administrators do it.
#pragma once

#include <string>

#include "store/ostree/object_files.hpp"
#include "store/ostree/repository.hpp"

namespace berth::store::testing {

/// The object that a path of a commit is made of: its content, or the listing of a directory.
/// @throws when there is none
ObjectName object_at(const Repository& repository, const std::string& commit, const std::string& path,
                     OstreeObjectType type = OSTREE_OBJECT_TYPE_FILE);

/// Where the object is on the disk.
std::string file_of(const StoreOptions& options, const ObjectName& name);

/// Changes one byte, through whatever links to it there are.
void flip_byte(const std::string& path);

}  // namespace berth::store::testing
