#include "host/user_directories.hpp"

#include <fmt/format.h>
#include <pwd.h>

#include <vector>

#include "base/error.hpp"

namespace berth::host {

namespace {

constexpr std::size_t account_limit = 64U << 10U;  // bytes of one passwd entry

/// Name and home of the user; empty for one that no database knows.
std::pair<std::string, std::string> account_of(unsigned uid) {
  std::vector<char> buffer(account_limit);
  struct passwd account {};
  struct passwd* found = nullptr;
  if (::getpwuid_r(uid, &account, buffer.data(), buffer.size(), &found) != 0 || found == nullptr) {
    return {};
  }
  return {account.pw_name, account.pw_dir};
}

void check_absolute(const char* name, const std::string& path) {
  if (!path.starts_with('/')) {
    throw base::Error(base::ErrorKind::usage,
                      fmt::format("{} is '{}', which is not an absolute path", name, base::printable(path)),
                      fmt::format("set {} to a path that begins with '/', or unset it", name));
  }
}

}  // namespace

UserDirectories user_directories(unsigned uid, const std::function<std::string(const char*)>& variable) {
  auto [name, home] = account_of(uid);
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
