// Logins for registries, from the files that `podman login`, `skopeo login` and `docker login` write.
#pragma once

#include <optional>
#include <stop_token>
#include <string>

namespace berth::source {

/// A login. Never to be shown, but for `place`.
struct Credentials {
  std::string username;
  std::string password;
  std::string identity_token;  ///< an OAuth2 refresh token; then user and password do not matter
  std::string place;           ///< file or program it came from, for messages
};

/// Looks up the login for REGISTRY/REPOSITORY as containers-auth.json(5) says. The most specific key of a file wins:
/// `registry/namespace/repo`, `registry/namespace`, `registry`; docker.io is also found under its old names such as
/// `https://index.docker.io/v1/`. Credential helpers (credHelpers, credsStore) are run.
/// @param authfile the only file to look into; empty: $REGISTRY_AUTH_FILE alone when set, otherwise
///   $XDG_RUNTIME_DIR/containers/auth.json, /run/containers/UID/auth.json, $XDG_CONFIG_HOME/containers/auth.json
///   (~/.config), $DOCKER_CONFIG/config.json (~/.docker), the first with a login for the registry
/// @return nullopt when there is none: the registry is then asked without a login
/// @throws Error naming the file when it is missing though named, or is not what it should be; never quotes from it
std::optional<Credentials> find_credentials(const std::string& registry, const std::string& repository,
                                            const std::string& authfile, const std::stop_token& stop);

}  // namespace berth::source
