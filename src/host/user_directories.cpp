// SPDX-License-Identifier: LGPL-2.1-or-later
#include "host/user_directories.hpp"

#include <fmt/format.h>

#include "base/error.hpp"
#include "host/accounts.hpp"

namespace berth::host {

namespace {

void check_absolute(const char* name, const std::string& path) {
  if (!path.starts_with('/')) {
    throw base::Error(base::ErrorKind::usage,
                      fmt::format("{} is '{}', which is not an absolute path", name, base::printable(path)),
                      fmt::format("set {} to a path that begins with '/', or unset it", name));
  }
}

}  // namespace

UserDirectories user_directories(unsigned uid, const std::function<std::string(const char*)>& variable) {
  auto [name, home] = find_account(uid).value_or(Account());
  UserDirectories directories;
  directories.uid = uid;
  directories.name = name.empty() ? std::to_string(uid) : std::move(name);
  if (auto own = variable("HOME"); !own.empty()) {
    home = std::move(own);
  }
  if (home.empty()) {
    throw base::Error(base::ErrorKind::usage, fmt::format("the user {} has no home directory", directories.name),
                      "set HOME to the directory below which containers are to be kept");
  }
  check_absolute("HOME", home);
  directories.home = home;
  const auto directory = [&variable](const char* which, const std::string& fallback) {
    auto path = variable(which);
    if (path.empty()) {
      return fallback;
    }
    check_absolute(which, path);
    return path;
  };
  directories.data = directory("XDG_DATA_HOME", home + "/.local/share");
  directories.config = directory("XDG_CONFIG_HOME", home + "/.config");
  directories.runtime = directory("XDG_RUNTIME_DIR", fmt::format("/run/user/{}", uid));
  return directories;
}

}  // namespace berth::host
