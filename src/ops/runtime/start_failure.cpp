// SPDX-License-Identifier: LGPL-2.1-or-later
#include "ops/runtime/start_failure.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <optional>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "base/fd.hpp"
#include "base/file.hpp"
#include "base/json.hpp"
#include "render/spec/config_privileges.hpp"
#include "render/unit/host_path.hpp"

namespace berth::ops {

namespace {

using base::Error;

constexpr int other_reason = 125;
constexpr int not_executable = 126;
constexpr int no_such_program = 127;

/// What both runtimes search when the process has no PATH.
constexpr std::string_view default_path = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

std::string search_path(const base::Json& process) {
  constexpr std::string_view prefix = "PATH=";
  for (const auto& entry : process.value("env", base::Json::array())) {
    if (const auto& text = entry.get_ref<const std::string&>(); text.starts_with(prefix)) {
      return text.substr(prefix.size());
    }
  }
  return std::string(default_path);
}

/// Where execvp(3) looks for the program.
std::vector<std::string> candidates(const std::string& program, const base::Json& process) {
  if (program.starts_with('/')) {
    return {program};
  }
  if (program.find('/') != std::string::npos) {
    return {fmt::format("{}/{}", process.value("cwd", "/"), program)};
  }
  std::vector<std::string> paths;
  const auto path = search_path(process);
  for (std::size_t start = 0; start <= path.size();) {
    const auto end = std::min(path.find(':', start), path.size());
    paths.push_back(fmt::format("{}/{}", path.substr(start, end - start), program));
    start = end + 1;
  }
  return paths;
}

/// Root executes what anybody may (path_resolution(7)).
bool may_execute(const struct stat& status, const base::Json& process) {
  const auto user = process.value("user", base::Json::object());
  const auto uid = user.value("uid", uid_t{0});
  const auto groups = user.value("additionalGids", std::vector<gid_t>());
  const bool in_group = user.value("gid", gid_t{0}) == status.st_gid ||
                        std::find(groups.begin(), groups.end(), status.st_gid) != groups.end();
  const mode_t class_bit = uid == status.st_uid ? S_IXUSR : in_group ? S_IXGRP : S_IXOTH;
  const mode_t bits = uid == 0 ? S_IXUSR | S_IXGRP | S_IXOTH : class_bit;
  return S_ISREG(status.st_mode) && (status.st_mode & bits) != 0;
}

/// A directory of the host, and a path below it.
struct Location {
  std::string directory;
  std::string path;  ///< empty: the directory itself
};

/// The file of the host that is `path` in the container. @return nullopt below a mount that is not a bind mount
std::optional<Location> locate(const std::string& root, const base::Json& config, const std::string& path) {
  std::optional<Location> location = Location{root, path};
  std::size_t longest = 1;
  for (const auto& mount : config.value("mounts", base::Json::array())) {
    const auto destination = mount.value("destination", "");
    if (destination.size() < longest || !render::is_below(path, destination)) {
      continue;
    }
    longest = destination.size();
    location = render::is_bind_mount(mount)
                   ? std::optional(Location{mount.value("source", ""), path.substr(destination.size())})
                   : std::nullopt;
  }
  return location;
}

base::Fd open_located(const Location& location) {
  if (location.path.empty()) {
    return base::open_at(AT_FDCWD, location.directory, O_PATH);
  }
  const auto directory = base::open_at(AT_FDCWD, location.directory, O_PATH | O_DIRECTORY);
  return base::open_in_root(directory.get(), location.path, O_PATH);
}

}  // namespace

int start_failure_code(const std::string& bundle, const base::Json& config, const base::Json& process) {
  int code = no_such_program;
  try {
    const auto path_of_root = config.at("root").at("path").get<std::string>();
    const auto root = path_of_root.starts_with('/') ? path_of_root : bundle + "/" + path_of_root;
    base::open_at(AT_FDCWD, root, O_PATH | O_DIRECTORY);
    for (const auto& path : candidates(process.at("args").at(0).get<std::string>(), process)) {
      const auto location = locate(root, config, path);
      if (!location) {
        return other_reason;
      }
      try {
        const auto file = open_located(*location);
        struct stat status = {};
        base::check_errno(::fstat(file.get(), &status), "inspect " + path);
        if (may_execute(status, process)) {
          return other_reason;
        }
        code = not_executable;
      } catch (const Error& error) {
        if (error.kind() != base::ErrorKind::not_found) {
          code = not_executable;  // the way there is closed
        }
      }
    }
  } catch (const std::exception&) {
    return other_reason;  // the root file system or the configuration is no help
  }
  return code;
}

}  // namespace berth::ops
