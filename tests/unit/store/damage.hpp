// SPDX-License-Identifier: LGPL-2.1-or-later
// Damages objects of a repository, as failing disks and administrators do.
#pragma once

#include <string>

#include "store/ostree/object_files.hpp"
#include "store/ostree/repository.hpp"

namespace berth::store::testing {

/// The object of a path in a commit: the content of a file, or the listing of a directory.
/// @throws std::runtime_error when the path does not exist
ObjectName object_at(const Repository& repository, const std::string& commit, const std::string& path,
                     OstreeObjectType type = OSTREE_OBJECT_TYPE_FILE);

/// @return the path of the object on disk
std::string file_of(const StoreOptions& options, const ObjectName& name);

/// Changes one byte in place; all hard links to the file see the change.
void flip_byte(const std::string& path);

}  // namespace berth::store::testing
