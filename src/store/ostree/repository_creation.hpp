// What makes a directory a repository, and how it becomes one so that no power cut leaves half of it.
#pragma once

#include <optional>
#include <string>

#include "base/error.hpp"
#include "store/ostree/options.hpp"
#include "store/ostree/repository_config.hpp"

namespace berth::store {

/// Whether the directory `path` holds a complete repository. One without refs whose `config` is absent, empty or
/// nothing but zeros (as a file is that was never synced before the privilege went) counts as not made: nothing in it
/// can be lost.
[[nodiscard]] bool is_repository(const std::string& path);

/// Everything in a repository is opened by path, also by libostree: a link would lead elsewhere, out of another root,
/// too.
/// @param directory the repository @param repository its path, for messages @throws Error(verification) when one is a
/// link
void refuse_links(int directory, const std::string& repository);

struct StoredConfig {
  RepositoryConfig config;            ///< the defaults when the file is of no use
  std::optional<base::Error> damage;  ///< why it is of no use, with the remedy
};

/// What the file `config` of a repository says. One that is lost, or is no such file, need not keep others from reading
/// when the objects are those of the mode that is wanted. @param directory the repository
/// @throws Error as parse_repository_config does, and when damage leaves the mode in doubt
StoredConfig read_config(int directory, const StoreOptions& options);

/// Writes a damaged `config` anew, durably, and keeps what was there beside it.
/// @return where that is now, empty when there was nothing; nullopt when the configuration is good
std::optional<std::string> mend_config(const StoreOptions& options);

/// Makes the directory `options.repository`, and what is missing above it, a repository, or completes one that
/// is_repository does not take for one: ostree.repo(5), ostree.repo-config(5). `config` comes last, when all else is
/// durable, and is so itself when this returns. Several processes may do so at once. @throws Error
void make_repository(const StoreOptions& options);

}  // namespace berth::store
