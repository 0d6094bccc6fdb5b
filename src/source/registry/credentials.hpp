// Logins for registries, from the files that `podman login`, `skopeo login` and `docker login` write.
#pragma once

#include <sys/stat.h>
#include <sys/types.h>

#include <optional>
#include <stop_token>
#include <string>

#include "base/reporter.hpp"

namespace berth::source {

/// A login. Never to be shown, but for `place`.
struct Credentials {
  std::string username;
  std::string password;
  std::string identity_token;  ///< an OAuth2 refresh token; then user and password do not matter
  std::string place;           ///< file or program it came from, for messages
};

/// Where to look, and who is told what was passed over.
struct LoginSearch {
  /// The only file to look into; empty: $REGISTRY_AUTH_FILE alone when set, otherwise
  /// $XDG_RUNTIME_DIR/containers/auth.json, /run/containers/UID/auth.json, $XDG_CONFIG_HOME/containers/auth.json
  /// (~/.config), $DOCKER_CONFIG/config.json (~/.docker), the first with a login for the registry.
  std::string authfile;
  std::stop_token stop;
  base::Reporter* reporter = nullptr;  ///< not owned; required
};

/// Looks up the login for REGISTRY/REPOSITORY as containers-auth.json(5) says. The most specific key of a file wins:
/// `registry/namespace/repo`, `registry/namespace`, `registry`; docker.io is also found under its old names such as
/// `https://index.docker.io/v1/`. Credential helpers (credHelpers, credsStore) are run; one that is not installed is
/// warned about and passed over, and so is, for root, a file that others own or can write.
/// @return nullopt when there is none: the registry is then asked without a login
/// @throws Error naming the file when it is missing or others' though named, or is not what it should be; never quotes
///   from it
std::optional<Credentials> find_credentials(const std::string& registry, const std::string& repository,
                                            const LoginSearch& search);

/// Whether `reader` may believe a file: root only one that nobody else owns or can write, for it chooses which logins
/// and programs are used; others any that they can read.
bool is_believable(const struct stat& status, uid_t reader);

}  // namespace berth::source
