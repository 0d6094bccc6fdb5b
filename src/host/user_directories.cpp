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

UserFolders user_folders(unsigned uid, const std::function<std::string(const char*)>& variable) {
  auto [name, home] = account_of(uid);
  UserFolders folders;
  folders.uid = uid;
  folders.name = name.empty() ? std::to_string(uid) : std::move(name);
  if (auto own = variable("HOME"); !own.empty()) {
    home = std::move(own);
  }
  if (home.empty()) {
    throw base::Error(base::ErrorKind::usage, fmt::format("the user {} has no home folder", folders.name),
                      "set HOME to the folder below which containers are to be kept");
  }
  check_absolute("HOME", home);
  folders.home = home;
  const auto folder = [&variable](const char* which, const std::string& fallback) {
    auto path = variable(which);
    if (path.empty()) {
      return fallback;
    }
    check_absolute(which, path);
    return path;
  };
  folders.data = folder("XDG_DATA_HOME", home + "/.local/share");
  folders.config = folder("XDG_CONFIG_HOME", home + "/.config");
  folders.runtime = folder("XDG_RUNTIME_DIR", fmt::format("/run/user/{}", uid));
  return folders;
}

}  // namespace berth::host
