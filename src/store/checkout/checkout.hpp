// A merged tree laid out as files, sharing inodes with the repository.
#pragma once

#include <string>

#include "store/ostree/options.hpp"
#include "store/ostree/repository.hpp"

namespace berth::store {

/// Makes and removes a link to a file of the repository: st_dev does not tell, for it is the same for two mounts of one
/// file system, and differs within one btrfs. @throws Error(failed) with the remedy when the file systems differ
void check_linkable(const Repository& repository, int directory);

/// Checks the tree of `commit` out into the new directory `name` below `directory`, as one plain tree: no whiteouts, no
/// union, hard links throughout (unless copies are wanted) but for contents with as many links as the file system
/// allows, and, in bare-user repositories, for empty files. Work of more than a second is reported.
/// Durable after the caller's syncfs(2). `.` is `directory` itself, which must be empty.
/// In mode bare-user the group gets what rights the owner has, and the owner all on directories, so that he can remove
/// them; the repository keeps the modes of the image beside the files.
/// @throws Error(conflict) when `name` exists or is not empty; interrupted when stop was requested; Error(failed) with
/// the remedy when the file systems differ. After an
///   error there is no `name` that was not there before.
void checkout_tree(const Repository& repository, const StoreOptions& options, const Checksum& commit, int directory,
                   const std::string& name, CheckoutFiles files = CheckoutFiles::linked);

/// The directory `path` of the commit's tree alone, as checkout_tree lays it out. @throws Error
void checkout_directory(const Repository& repository, const Checksum& commit, const std::string& path, int directory,
                        const std::string& name);

}  // namespace berth::store
