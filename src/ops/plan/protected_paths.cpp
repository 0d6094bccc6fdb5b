#include "ops/plan/protected_paths.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>
#include <utility>

#include "base/error.hpp"
#include "base/file.hpp"

namespace berth::ops {

namespace {

using base::Error;
using base::ErrorKind;

bool is_below(const std::string& path, const std::string& folder) {
  return path == folder || folder == "/" || path.starts_with(folder + "/");
}

bool leads_upwards(const std::string& path) {
  return (path + "/").find("/../") != std::string::npos || path.starts_with("../");
}

/// Host paths that a mount writes to: the source of a writable bind, the upper folders of an overlay.
std::vector<std::string> written_by(const base::Json& mount) {
  std::vector<std::string> paths;
  bool bind = mount.value("type", "") == "bind";
  for (const auto& option : mount.value("options", base::Json::array())) {
    const auto& text = option.get_ref<const std::string&>();
    bind = bind || text == "bind" || text == "rbind";
    for (const std::string_view prefix : {"upperdir=", "workdir="}) {
      if (text.starts_with(prefix)) {
        paths.push_back(text.substr(prefix.size()));
      }
    }
  }
  if (bind && render::is_writable_mount(mount)) {
    paths.push_back(mount.value("source", ""));
  }
  return paths;
}

}  // namespace

OwnPlaces::OwnPlaces(const host::Layout& layout, const std::string& name, const std::string& volumes,
                     std::function<std::string(const std::string&)> resolve, const std::vector<PlannedFile>& files)
    : resolve_(std::move(resolve)), links_(files, resolve_) {
  auto repository = layout.repository();
  if (layout.root() != "/" && repository.starts_with(layout.root() + "/")) {
    repository.erase(0, layout.root().size());
  }
  for (const auto& folder : {layout.deployments_inside(), repository, std::string("/usr/lib/containers/berth"),
                             std::string("/etc/berth"), layout.settings_inside(), layout.volumes_inside()}) {
    folders_.push_back(resolve_(folder));
  }
  if (layout.preinstalling()) {
    folders_.push_back(resolve_("/var/lib/containers/berth"));  // where the booted system has its own
  }
  volumes_ = resolve_(volumes);
  files_ = {resolve_(layout.unit_inside(name)), resolve_(layout.tmpfiles_inside(name))};
}

std::string OwnPlaces::place_of(const std::string& path) const {
  return links_.place_of(path);
}

bool OwnPlaces::is_own(const std::string& path) const {
  return std::any_of(folders_.begin(), folders_.end(), [&](const auto& folder) { return is_below(path, folder); });
}

bool OwnPlaces::holds_own(const std::string& path) const {
  return std::any_of(folders_.begin(), folders_.end(), [&](const auto& folder) { return is_below(folder, path); });
}

void OwnPlaces::refuse_host_file(const render::HostEntry& entry, const std::string& destination) const {
  const auto place = resolve_(destination);  // `/lib` may be a link to where our own files are
  if (is_own(place) || std::find(files_.begin(), files_.end(), place) != files_.end()) {
    throw Error(ErrorKind::conflict,
                fmt::format("exports/hostfs/{} of the image would be copied to {}, which berth itself writes",
                            base::printable(entry.path), base::printable(destination)),
                "choose another container name with --name, or correct the image");
  }
  const auto& target = entry.link_target;
  const auto end = target.starts_with('/') ? target : base::split_path(destination).first + "/" + target;
  if (entry.kind == render::HostEntryKind::link && is_own(place_of(end))) {
    throw Error(ErrorKind::conflict,
                fmt::format("the link exports/hostfs/{} of the image leads to {}, which berth itself writes",
                            base::printable(entry.path), base::printable(target)),
                "have the link taken out of the image");
  }
}

void OwnPlaces::refuse_mounts(const base::Json& config) const {
  for (const auto& mount : config.value("mounts", base::Json::array())) {
    for (const auto& path : written_by(mount)) {
      if (leads_upwards(path)) {
        throw Error(ErrorKind::verification,
                    fmt::format("config.json: the source of the mount at {} has `..` in it: {}",
                                base::printable(mount.value("destination", "")), base::printable(path)),
                    "write it without `..` in exports/config.json or its template");
      }
      // A relative source is relative to the folder of config.json, which is a deployment.
      if (!path.starts_with('/') || (is_own(place_of(path)) && !is_below(place_of(path), volumes_))) {
        throw Error(
            ErrorKind::verification,
            fmt::format("config.json: the mount at {} would let the container write to {}, which is berth's own",
                        base::printable(mount.value("destination", "")), base::printable(path)),
            "containers share files there: mount it read-only, or keep data in a folder of its own, such as "
            "${STATE_DIRECTORY}/${NAME}");
      }
    }
  }
}

/// A bind whose source is harmless by its name only.
std::optional<render::Power> OwnPlaces::power_of_links(const base::Json& mount) const {
  const auto source = mount.value("source", "");
  if (!render::is_bind_mount(mount) || !source.starts_with('/') || render::bind_power(mount).over_host) {
    return std::nullopt;
  }
  auto power = render::bind_power(mount, place_of(source));
  return power.over_host ? std::optional(std::move(power)) : std::nullopt;
}

std::vector<render::Power> OwnPlaces::powers(const base::Json& config) const {
  std::vector<render::Power> powers;
  for (const auto& mount : config.value("mounts", base::Json::array())) {
    for (const auto& path : written_by(mount)) {
      if (holds_own(place_of(path))) {
        powers.push_back(
            {fmt::format("may change the files of all containers, which are below {}", base::printable(path)), true});
      }
    }
    if (auto power = power_of_links(mount)) {
      powers.push_back(std::move(*power));
    }
  }
  return powers;
}

}  // namespace berth::ops
