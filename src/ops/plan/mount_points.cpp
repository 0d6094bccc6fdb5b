// SPDX-License-Identifier: LGPL-2.1-or-later
#include "ops/plan/mount_points.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "base/fd.hpp"
#include "base/file.hpp"
#include "base/json.hpp"

namespace berth::ops {

namespace {

using base::Error;
using base::ErrorKind;

constexpr mode_t directory_mode = 0755;
constexpr mode_t file_mode = 0644;

/// Whether a mount binds a file: its source is not a directory, or is a link whose target exists only after the boot,
/// as that of /etc/resolv.conf often does.
bool binds_file(int root, const base::Json& mount) {
  const auto source = mount.value("source", "");
  const auto destination = mount.value("destination", "");
  if (destination == "/etc/resolv.conf" || destination == "/etc/hosts") {
    return true;  // copies that the unit creates
  }
  if (mount.value("type", "") != "bind" || !source.starts_with('/')) {
    return false;
  }
  try {
    const base::Fd found = base::open_in_root(root, source, O_PATH);
    struct stat status {};
    base::check_errno(::fstat(found.get(), &status), "examine " + source);
    return !S_ISDIR(status.st_mode);
  } catch (const Error&) {
    return base::read_link_at(root, source.substr(1)).has_value();
  }
}

/// Creates the missing components of one path, up to the first symbolic link.
void make_mount_point(int rootfs, const std::vector<std::string>& components, bool file) {
  base::Fd directory = base::open_directory_at(rootfs, ".");
  for (std::size_t index = 0; index < components.size(); ++index) {
    const auto& name = components[index];
    const bool last = index + 1 == components.size();
    const auto status = base::stat_at(directory.get(), name);
    if (!status && last && file) {
      base::create_file_at(directory.get(), name, "", file_mode);
      return;
    }
    if (!status) {
      base::check_errno(::mkdirat(directory.get(), name.c_str(), directory_mode), "create the mount point " + name);
    } else if (!S_ISDIR(status->st_mode)) {
      return;
    }
    directory = base::open_directory_at(directory.get(), name);
  }
}

}  // namespace

void make_mount_points(int root, int rootfs, const base::Json& config) {
  std::vector<std::string> covered;
  const auto make = [&](const std::string& path, bool file) {
    const auto components = base::safe_components(path, "config.json");
    const auto whole = fmt::format("{}/", path);
    if (std::none_of(covered.begin(), covered.end(), [&](const auto& place) { return whole.starts_with(place); })) {
      make_mount_point(rootfs, components, file);
    }
  };
  for (const auto& mount : config.value("mounts", base::Json::array())) {
    const auto destination = mount.value("destination", "");
    make(destination, binds_file(root, mount));
    covered.push_back(destination + "/");
  }
  make(config.at("process").value("cwd", "/"), false);
}

}  // namespace berth::ops
