// What makes a folder a repository, and how it becomes one so that no power cut leaves half of it.
#pragma once

#include <string>

#include "store/store.hpp"

namespace berth::store {

/// Whether the folder `path` holds a complete repository. One without refs whose `config` is absent, empty or nothing
/// but zeros (as a file is that was never synced before the power went) counts as not made: nothing in it can be lost.
/// @throws Error(verification) when there are refs, but no configuration
[[nodiscard]] bool is_repository(const std::string& path);

/// Everything in a repository is opened by path, also by libostree: a link would lead elsewhere, out of another root,
/// too.
/// @param folder the repository @param repository its path, for messages @throws Error(verification) when one is a link
void refuse_links(int folder, const std::string& repository);

/// Makes the folder `options.repository`, and what is missing above it, a repository, or completes one that
/// is_repository does not take for one: ostree.repo(5), ostree.repo-config(5). `config` comes last, when all else is
/// durable, and is so itself when this returns. Several processes may do so at once. @throws Error
void make_repository(const StoreOptions& options);

}  // namespace berth::store
