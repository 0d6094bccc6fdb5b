// SPDX-License-Identifier: LGPL-2.1-or-later
#include "source/registry/credentials.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <vector>

#include "base/error.hpp"
#include "base/file.hpp"
#include "base/hint.hpp"
#include "base/json.hpp"
#include "base/process.hpp"
#include "source/registry/base64.hpp"

namespace berth::source {
namespace {

constexpr std::uint64_t file_limit = 1U << 20U;
constexpr std::string_view docker_hub = "docker.io";
constexpr std::string_view docker_hub_key = "https://index.docker.io/v1/";
constexpr std::string_view login_hint = "write it again with `podman login` or `skopeo login`";

std::string environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

struct AuthFile {
  std::string path;
  bool required = false;  // the user named it
};

std::vector<AuthFile> auth_files(const std::string& authfile) {
  if (!authfile.empty()) {
    return {{authfile, true}};
  }
  if (const auto named = environment("REGISTRY_AUTH_FILE"); !named.empty()) {
    return {{named, true}};
  }
  std::vector<AuthFile> files;
  if (const auto runtime = environment("XDG_RUNTIME_DIR"); !runtime.empty()) {
    files.push_back({runtime + "/containers/auth.json"});
  }
  files.push_back({fmt::format("/run/containers/{}/auth.json", ::getuid())});
  const auto home = environment("HOME");
  const auto add = [&](const char* variable, const std::string& below_home, const std::string& name) {
    if (const auto directory = environment(variable); !directory.empty()) {
      files.push_back({directory + name});
    } else if (!home.empty()) {
      files.push_back({home + below_home + name});
    }
  };
  add("XDG_CONFIG_HOME", "/.config", "/containers/auth.json");
  add("DOCKER_CONFIG", "/.docker", "/config.json");
  return files;
}

// Follows links: the administrator may keep the file elsewhere.
std::optional<std::string> read_auth_file(const AuthFile& file, base::Reporter& reporter) {
  const base::Fd fd(::open(file.path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!fd) {
    if (!file.required && (errno == ENOENT || errno == ENOTDIR || errno == EACCES)) {
      return std::nullopt;
    }
    base::throw_errno("open the auth file " + file.path);
  }
  struct stat status {};
  base::check_errno(::fstat(fd.get(), &status), "examine the auth file " + file.path);
  if (!is_believable(status, ::geteuid())) {
    const auto message =
        fmt::format("the auth file {} {}", file.path,
                    status.st_uid != 0 ? fmt::format("belongs to the user {}, not to root", status.st_uid)
                                       : "can be written by other users than root");
    if (file.required) {
      throw base::Error(base::ErrorKind::not_permitted, message,
                        fmt::format("if it is right: chown root {0} && chmod 600 {0}", file.path));
    }
    reporter.warning(message + ": it is ignored");
    return std::nullopt;
  }
  return base::read_all(fd.get(), file_limit, file.path);
}

// The error of the parser quotes the last text that it read, which may be a password.
base::Json parse_secret_json(const std::string& text, const std::string& document) {
  try {
    return base::parse_json(text, document);
  } catch (const base::Error&) {
    throw base::Error(base::ErrorKind::verification, fmt::format("{} is not valid JSON", document),
                      std::string(login_hint));
  }
}

// `https://index.docker.io/v1/` → `docker.io`; other URLs lose scheme and path.
std::string normalized_key(std::string_view key) {
  const bool is_url = key.starts_with("https://") || key.starts_with("http://");
  if (is_url) {
    key.remove_prefix(key.find("//") + 2);
    key = key.substr(0, key.find('/'));
  }
  if (key == "index.docker.io" || key == "registry-1.docker.io" || key == "index.docker.io/v1/") {
    return std::string(docker_hub);
  }
  return std::string(key);
}

// `registry/a/b`, `registry/a`, `registry`.
std::vector<std::string> keys_for(const std::string& registry, const std::string& repository) {
  std::vector<std::string> keys;
  std::string key = registry + "/" + repository;
  while (key.size() > registry.size()) {
    keys.push_back(key);
    key.resize(key.rfind('/'));
  }
  keys.push_back(registry);
  return keys;
}

std::optional<Credentials> credentials_from(const base::JsonView& entry, const std::string& path) {
  Credentials credentials;
  credentials.place = path;
  credentials.identity_token = entry.string_or("identitytoken", "");
  const auto auth = entry.string_or("auth", "");
  if (auth.empty()) {
    credentials.username = entry.string_or("username", "");
    credentials.password = entry.string_or("password", "");
  } else {
    const auto decoded = decode_base64(auth);
    const auto colon = decoded ? decoded->find(':') : std::string::npos;
    if (colon == std::string::npos) {
      throw base::Error(base::ErrorKind::verification,
                        fmt::format("{}.auth: expected USER:PASSWORD in base64", entry.place()),
                        std::string(login_hint));
    }
    credentials.username = decoded->substr(0, colon);
    credentials.password = decoded->substr(colon + 1);
    while (credentials.password.ends_with('\0')) {
      credentials.password.pop_back();  // written by old versions of Docker
    }
  }
  if (credentials.identity_token.empty() && credentials.username.empty()) {
    return std::nullopt;  // an empty entry means that the login is in a credential store
  }
  return credentials;
}

std::optional<Credentials> find_in_auths(const base::JsonView& auths, const std::vector<std::string>& keys,
                                         const std::string& path) {
  const auto entries = auths.as_object();
  for (const auto& key : keys) {
    for (const bool exact : {true, false}) {
      for (const auto& [name, entry] : entries) {
        if (exact ? name != key : normalized_key(name) != key) {
          continue;
        }
        if (auto credentials = credentials_from(entry, path)) {
          return credentials;
        }
      }
    }
  }
  return std::nullopt;
}

void check_program_name(const std::string& name, const std::string& path) {
  const bool legal = !name.empty() && std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_' ||
           c == '.';
  });
  if (!legal) {
    throw base::Error(base::ErrorKind::verification,
                      fmt::format("{}: '{}' is not the name of a credential helper", path, base::printable(name)),
                      "expected the X of a program docker-credential-X");
  }
}

// nullopt when it is not installed: a configuration may have come from another machine.
std::optional<base::ProcessResult> run_program(const std::string& program, const std::string& server,
                                               const std::string& path, const LoginSearch& search) {
  base::ProcessOptions options;
  options.input = server;
  options.stop = search.stop;
  try {
    return base::in_context(fmt::format("running the credential helper named in {}", path), [&] {
      return base::run_process({program, "get"}, options);
    });
  } catch (const base::Error& error) {
    if (error.kind() != base::ErrorKind::not_found) {
      throw;
    }
    search.reporter->warning(
        fmt::format("the credential helper {}, which {} names, is not installed: it is ignored", program, path));
    return std::nullopt;
  }
}

// The answer of a helper without a login for the server. The protocol defines it as the whole output, without the
// white space around it: IsErrCredentialsNotFoundMessage() of docker-credential-helpers, credentials/error.go.
bool is_no_login(std::string_view output) {
  constexpr std::string_view blanks = " \t\r\n";
  const auto begin = std::min(output.find_first_not_of(blanks), output.size());
  return output.substr(begin, output.find_last_not_of(blanks) + 1 - begin) ==
         "credentials not found in native keychain";
}

// The protocol of docker-credential-helpers: server address in, {ServerURL, Username, Secret} out.
std::optional<Credentials> ask_program(const std::string& name, const std::string& server, const std::string& path,
                                       const LoginSearch& search) {
  check_program_name(name, path);
  const auto program = "docker-credential-" + name;
  const auto answer = run_program(program, server, path, search);
  if (!answer) {
    return std::nullopt;
  }
  const auto& result = *answer;
  if (result.exit_code != 0) {
    if (is_no_login(result.output)) {
      return std::nullopt;
    }
    throw base::Error(base::ErrorKind::failed,
                      fmt::format("{} returned no login for {} (exit code {})", program, server, result.exit_code),
                      fmt::format("run `echo {} | {} get` to see why", server, program));
  }
  const auto json = parse_secret_json(result.output, fmt::format("the answer of {}", program));
  const base::JsonView view(json, fmt::format("the answer of {}", program));
  Credentials credentials{view.at("Username").as_string(), view.at("Secret").as_string(), "", program};
  if (credentials.username == "<token>") {
    credentials.identity_token = std::exchange(credentials.password, "");
    credentials.username.clear();
  }
  return credentials;
}

std::optional<std::string> helper_for(const base::JsonView& root, const std::string& registry) {
  const auto helpers = root.find("credHelpers");
  if (!helpers) {
    return std::nullopt;
  }
  for (const auto& [name, value] : helpers->as_object()) {
    if (normalized_key(name) == registry) {
      return value.as_string();
    }
  }
  return std::nullopt;
}

std::string server_address(const std::string& registry) {
  return registry == docker_hub ? std::string(docker_hub_key) : registry;
}

std::optional<Credentials> find_in_file(const AuthFile& file, const std::string& registry,
                                        const std::string& repository, const LoginSearch& search) {
  const auto text = read_auth_file(file, *search.reporter);
  if (!text || text->empty()) {
    return std::nullopt;
  }
  const auto json = parse_secret_json(*text, file.path);
  const base::JsonView root(json, file.path);
  if (const auto helper = helper_for(root, registry)) {
    return ask_program(*helper, server_address(registry), file.path, search);
  }
  if (const auto auths = root.find("auths")) {
    if (auto credentials = find_in_auths(*auths, keys_for(registry, repository), file.path)) {
      return credentials;
    }
  }
  if (const auto store = root.string_or("credsStore", ""); !store.empty()) {
    return ask_program(store, server_address(registry), file.path, search);
  }
  return std::nullopt;
}

}  // namespace

bool is_believable(const struct stat& status, uid_t reader) {
  const bool group = (status.st_mode & S_IWGRP) != 0 && status.st_gid != 0;
  return reader != 0 || (status.st_uid == 0 && !group && (status.st_mode & S_IWOTH) == 0);
}

std::optional<Credentials> find_credentials(const std::string& registry, const std::string& repository,
                                            const LoginSearch& search) {
  for (const auto& file : auth_files(search.authfile)) {
    auto credentials = base::with_hint(login_hint, [&] { return find_in_file(file, registry, repository, search); });
    if (credentials) {
      return credentials;
    }
  }
  return std::nullopt;
}

}  // namespace berth::source
