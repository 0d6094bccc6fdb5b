// SPDX-License-Identifier: LGPL-2.1-or-later
// Checkout of a stored tree as directories with hard links.
#pragma once

#include <string>

#include "store/ostree/options.hpp"
#include "store/ostree/repository.hpp"

namespace berth::store {

/// Checks `root` out into the new directory `name` below `directory`: one hard link (linkat(2)) per file to its object,
/// relative to directory descriptors, in two threads. For bare repositories, whose objects have the metadata of the
/// files. A file with as many links as its file system allows is copied. Work of more than a second is reported.
/// @throws Error; Interrupted, leaving an incomplete checkout
void link_tree(const Repository& repository, const StoreOptions& options, const StoredDirectory& root, int directory,
               const std::string& name);

}  // namespace berth::store
