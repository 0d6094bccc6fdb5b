// SPDX-License-Identifier: LGPL-2.1-or-later
// Checkout of a merged tree, whose files share inodes with the repository.
#pragma once

#include <string>

#include "store/ostree/options.hpp"
#include "store/ostree/repository.hpp"

namespace berth::store {

/// Checks that links are possible by creating and removing one. st_dev is not sufficient: it is equal for two mounts of
/// one file system, and differs within one btrfs.
/// @throws Error(failed) with the remedy when the file systems differ
void check_linkable(const Repository& repository, int directory);

/// Checks the tree of `commit` out into the new directory `name` below `directory`; `.` is `directory` itself, which
/// must be empty. All files are hard links, unless copies are requested, except contents that already have as many
/// links as the file system allows and, in bare-user repositories, empty files. Work of more than a second is reported.
/// Durable after the caller's syncfs(2).
/// In mode bare-user the group gets the rights of the owner, and the owner gets all rights on directories, so that they
/// can be removed; the repository keeps the modes of the image beside the files.
/// @throws Error(conflict) when `name` exists or is not empty; Error(failed) with the remedy when the file systems
///   differ; Interrupted. A `name` that did not exist before does not exist after an error
void checkout_tree(const Repository& repository, const StoreOptions& options, const Checksum& commit, int directory,
                   const std::string& name, CheckoutFiles files = CheckoutFiles::linked);

/// Checks out the directory `path` of the commit's tree alone, as checkout_tree does. @throws Error
void checkout_directory(const Repository& repository, const Checksum& commit, const std::string& path, int directory,
                        const std::string& name);

}  // namespace berth::store
