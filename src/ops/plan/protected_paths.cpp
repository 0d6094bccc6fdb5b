// SPDX-License-Identifier: LGPL-2.1-or-later
#include "ops/plan/protected_paths.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>
#include <utility>

#include "base/error.hpp"
#include "base/file.hpp"
#include "base/json.hpp"
#include "render/spec/config_privileges.hpp"

namespace berth::ops {

namespace {

using base::Error;
using base::ErrorKind;

bool is_below(const std::string& path, const std::string& directory) {
  return path == directory || directory == "/" || path.starts_with(directory + "/");
}

bool leads_upwards(const std::string& path) {
  return (path + "/").find("/../") != std::string::npos || path.starts_with("../");
}

/// Host paths that a mount writes to: the source of a writable bind, the upper directories of an overlay.
std::vector<std::string> written_by(const base::Json& mount) {
  std::vector<std::string> paths;
  for (const auto& option : mount.value("options", base::Json::array())) {
    const auto& text = option.get_ref<const std::string&>();
    for (const std::string_view prefix : {"upperdir=", "workdir="}) {
      if (text.starts_with(prefix)) {
        paths.push_back(text.substr(prefix.size()));
      }
    }
  }
  if (render::is_bind_mount(mount) && render::is_writable_mount(mount)) {
    paths.push_back(mount.value("source", ""));
  }
  return paths;
}

}  // namespace

ProtectedPaths::ProtectedPaths(const host::Layout& layout, const std::string& name, const std::string& volumes,
                               const HostProbe& probe, const std::vector<PlannedFile>& files)
    : probe_(probe), links_(files, probe) {
  auto repository = layout.repository();
  if (layout.root() != "/" && repository.starts_with(layout.root() + "/")) {
    repository.erase(0, layout.root().size());
  }
  for (const auto& directory : {layout.deployments_in_root(), repository, std::string("/usr/lib/containers/berth"),
                                std::string("/etc/berth"), layout.settings_in_root(), layout.volumes_in_root()}) {
    directories_.push_back(probe_.resolve(directory));
  }
  if (layout.preinstalling()) {
    directories_.push_back(probe_.resolve("/var/lib/containers/berth"));  // deployments of the booted system
  }
  volumes_ = probe_.resolve(volumes);
  files_ = {probe_.resolve(layout.unit_in_root(name)), probe_.resolve(layout.tmpfiles_in_root(name))};
}

std::string ProtectedPaths::resolved(const std::string& path) const {
  return links_.resolve(path);
}

bool ProtectedPaths::is_protected(const std::string& path) const {
  return std::any_of(directories_.begin(), directories_.end(),
                     [&](const auto& directory) { return is_below(path, directory); });
}

bool ProtectedPaths::holds_protected(const std::string& path) const {
  return std::any_of(directories_.begin(), directories_.end(),
                     [&](const auto& directory) { return is_below(directory, path); });
}

void ProtectedPaths::refuse_host_file(const render::HostEntry& entry, const std::string& destination) const {
  const auto place = probe_.resolve(destination);  // /lib may be a link
  if (is_protected(place) || std::find(files_.begin(), files_.end(), place) != files_.end()) {
    throw Error(ErrorKind::conflict,
                fmt::format("exports/hostfs/{} of the image would be copied to {}, which berth itself writes",
                            base::printable(entry.path), base::printable(destination)),
                "choose another container name with --name, or correct the image");
  }
  const auto& target = entry.link_target;
  const auto end = target.starts_with('/') ? target : base::split_path(destination).first + "/" + target;
  if (entry.kind == render::HostEntryKind::link && is_protected(resolved(end))) {
    throw Error(ErrorKind::conflict,
                fmt::format("the link exports/hostfs/{} of the image leads to {}, which berth itself writes",
                            base::printable(entry.path), base::printable(target)),
                "have the link taken out of the image");
  }
}

void ProtectedPaths::refuse_mounts(const base::Json& config) const {
  for (const auto& mount : config.value("mounts", base::Json::array())) {
    for (const auto& path : written_by(mount)) {
      if (leads_upwards(path)) {
        throw Error(ErrorKind::verification,
                    fmt::format("config.json: the source of the mount at {} has `..` in it: {}",
                                base::printable(mount.value("destination", "")), base::printable(path)),
                    "write it without `..` in exports/config.json or its template");
      }
      // A relative source is relative to the directory of config.json, which is a deployment.
      if (!path.starts_with('/') || (is_protected(resolved(path)) && !is_below(resolved(path), volumes_))) {
        throw Error(
            ErrorKind::verification,
            fmt::format("config.json: the mount at {} would let the container write to {}, which is berth's own",
                        base::printable(mount.value("destination", "")), base::printable(path)),
            "containers share files there: mount it read-only, or keep data in a directory of its own, such as "
            "${STATE_DIRECTORY}/${NAME}");
      }
    }
  }
}

/// The privilege of a bind whose source is harmless by name, but is a link to a path that is not.
std::optional<render::Privilege> ProtectedPaths::privilege_of_links(const base::Json& mount) const {
  const auto source = mount.value("source", "");
  if (!render::is_bind_mount(mount) || !source.starts_with('/') || render::bind_privilege(mount).over_host) {
    return std::nullopt;
  }
  auto privilege = render::bind_privilege(mount, resolved(source));
  return privilege.over_host ? std::optional(std::move(privilege)) : std::nullopt;
}

std::vector<render::Privilege> ProtectedPaths::privileges(const base::Json& config) const {
  std::vector<render::Privilege> privileges;
  for (const auto& mount : config.value("mounts", base::Json::array())) {
    for (const auto& path : written_by(mount)) {
      if (holds_protected(resolved(path))) {
        privileges.push_back(
            {fmt::format("may change the files of all containers, which are below {}", base::printable(path)), true});
      }
    }
    if (auto privilege = privilege_of_links(mount)) {
      privileges.push_back(std::move(*privilege));
    }
  }
  return privileges;
}

}  // namespace berth::ops
