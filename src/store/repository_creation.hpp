// What makes a folder a repository, and how it becomes one so that no power cut leaves half of it.
#pragma once

#include <string>

#include "store/store.hpp"

namespace berth::store {

/// Whether the folder `path` holds a complete repository. One without refs whose `config` is absent, empty or nothing
/// but zeros (as a file is that was never synced before the power went) counts as not made: nothing in it can be lost.
/// @throws Error(verification) when there are refs, but no configuration
[[nodiscard]] bool is_repository(const std::string& path);

/// Makes the existing folder `options.repository` a repository, or completes one that is_repository does not take for
/// one: ostree.repo(5), ostree.repo-config(5). `config` comes last, when all else is durable, and is so itself when
/// this returns. Several processes may do so at once. @throws Error
void make_repository(const StoreOptions& options);

}  // namespace berth::store
