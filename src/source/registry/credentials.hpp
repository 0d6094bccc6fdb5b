// SPDX-License-Identifier: LGPL-2.1-or-later
// Logins for registries, from the files that `podman login`, `skopeo login` and `docker login` write.
#pragma once

#include <sys/stat.h>
#include <sys/types.h>

#include <optional>
#include <stop_token>
#include <string>

#include "base/reporter.hpp"

namespace berth::source {

/// A login. Secret, except for `place`.
struct Credentials {
  std::string username;
  std::string password;
  std::string identity_token;  ///< an OAuth2 refresh token, used instead of user and password
  std::string place;           ///< file or program it came from, for messages
};

/// Options of a search for a login.
struct LoginSearch {
  /// The only file to read; empty: $REGISTRY_AUTH_FILE alone when set, otherwise
  /// $XDG_RUNTIME_DIR/containers/auth.json, /run/containers/UID/auth.json, $XDG_CONFIG_HOME/containers/auth.json
  /// (~/.config), $DOCKER_CONFIG/config.json (~/.docker), the first with a login for the registry.
  std::string authfile;
  std::stop_token stop;
  base::Reporter* reporter = nullptr;  ///< not owned; required
};

/// Looks up the login for REGISTRY/REPOSITORY as described in containers-auth.json(5). The most specific key of a file
/// is used: `registry/namespace/repo`, `registry/namespace`, `registry`; docker.io is also found under its old names
/// such as `https://index.docker.io/v1/`. Credential helpers (credHelpers, credsStore) are run. A helper that is not
/// installed is ignored with a warning, and so is, for root, a file that other users own or can write.
/// @return nullopt when there is no login: the registry is then queried without one
/// @throws Error naming the file when it was named by the user but is missing or belongs to others, or when it is
///   damaged; never quotes from it
std::optional<Credentials> find_credentials(const std::string& registry, const std::string& repository,
                                            const LoginSearch& search);

/// Whether `reader` may trust a file. For root no other user may own or write it, since it selects the logins and
/// programs that are used; other users may trust any file.
bool is_believable(const struct stat& status, uid_t reader);

}  // namespace berth::source
