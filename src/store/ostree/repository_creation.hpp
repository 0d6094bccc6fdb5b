// SPDX-License-Identifier: LGPL-2.1-or-later
// Creation of a repository, which a power failure cannot leave half done.
#pragma once

#include <optional>
#include <string>

#include "base/error.hpp"
#include "store/ostree/options.hpp"
#include "store/ostree/repository_config.hpp"

namespace berth::store {

/// Whether the directory `path` has a complete repository. A repository without refs whose `config` is absent, empty or
/// all zeros (as after a power failure before a sync) counts as incomplete: nothing in it can be lost.
[[nodiscard]] bool is_repository(const std::string& path);

/// Checks that no part of a repository is a symbolic link: all parts are opened by path, also by libostree, and a link
/// could lead out of an alternative root.
/// @param directory the repository
/// @param repository its path, for messages
/// @throws Error(verification) when one is a link
void refuse_links(int directory, const std::string& repository);

struct StoredConfig {
  RepositoryConfig config;            ///< the defaults when the file is damaged
  std::optional<base::Error> damage;  ///< the reason, with the remedy
};

/// Reads the file `config` of a repository. A missing or damaged file does not prevent reading when the objects are
/// those of the wanted mode. @param directory the repository
/// @throws Error as parse_repository_config does, and when damage leaves the mode in doubt
StoredConfig read_config(int directory, const StoreOptions& options);

/// Rewrites a damaged `config` durably, and keeps the old file beside it.
/// @return the path of the old file, empty when it did not exist; nullopt when the configuration is good
std::optional<std::string> repair_config(const StoreOptions& options);

/// Creates the repository `options.repository` with its parent directories, or completes one for which is_repository is
/// false: ostree.repo(5), ostree.repo-config(5). `config` is written last, when all else is durable, and is durable
/// when this returns. Several processes may do so at the same time. @throws Error
void make_repository(const StoreOptions& options);

}  // namespace berth::store
