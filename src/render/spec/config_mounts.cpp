// SPDX-License-Identifier: LGPL-2.1-or-later
#include "render/spec/config_mounts.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <initializer_list>
#include <iterator>
#include <string_view>

#include "base/error.hpp"
#include "base/json.hpp"
#include "render/unit/host_path.hpp"

namespace berth::render {
namespace {

using base::Json;

constexpr std::string_view cgroup_directory = "/sys/fs/cgroup";

/// Directories below /sys/fs/cgroup that exist only with cgroup v1 (cgroups(7)) and in systemd's hybrid setup.
constexpr std::array<std::string_view, 18> v1_hierarchies = {
    "blkio",      "cpu",     "cpu,cpuacct", "cpuacct", "cpuset",           "devices",
    "freezer",    "hugetlb", "memory",      "net_cls", "net_cls,net_prio", "net_prio",
    "perf_event", "pids",    "rdma",        "misc",    "systemd",          "unified"};

/// Options of cgroup v1 mounts, beside the names of controllers.
constexpr std::array<std::string_view, 6> v1_options = {"none",     "all",   "clone_children",
                                                        "noprefix", "xattr", "cpuset_v2_mode"};

template <std::size_t size>
bool is_one_of(std::string_view text, const std::array<std::string_view, size>& list) {
  return std::find(list.begin(), list.end(), text) != list.end();
}

std::string_view text_of(const Json& mount, const char* key) {
  const auto found = mount.find(key);
  return found == mount.end() ? std::string_view() : std::string_view(found->get_ref<const std::string&>());
}

bool has_option(const Json& mount, std::initializer_list<std::string_view> wanted) {
  const auto options = mount.find("options");
  return options != mount.end() && std::any_of(options->begin(), options->end(), [&](const Json& option) {
           return std::find(wanted.begin(), wanted.end(), option.get_ref<const std::string&>()) != wanted.end();
         });
}

/// The part of `path` after /sys/fs/cgroup/; empty for other paths.
std::string_view below_cgroup(std::string_view path) {
  path = without_slashes(path);
  return path.starts_with(cgroup_directory) && path.size() > cgroup_directory.size() &&
                 path[cgroup_directory.size()] == '/'
             ? path.substr(cgroup_directory.size() + 1)
             : std::string_view();
}

/// Whether a mount is of a single v1 hierarchy, which does not exist on a host with unified cgroups.
bool is_v1_hierarchy(const Json& mount) {
  if (text_of(mount, "type") == "cgroup") {
    return !below_cgroup(text_of(mount, "destination")).empty();
  }
  const std::string_view source = below_cgroup(text_of(mount, "source"));
  return is_one_of(source.substr(0, source.find('/')), v1_hierarchies) && has_option(mount, {"bind", "rbind"});
}

bool is_v1_option(std::string_view option) {
  return is_one_of(option, v1_options) || is_one_of(option, v1_hierarchies) || option.starts_with("name=") ||
         option.starts_with("release_agent=");
}

/// Removes options that only cgroup v1 supports. @return whether there were any
bool drop_v1_options(Json& mount) {
  const auto options = mount.find("options");
  if (text_of(mount, "type") != "cgroup" || options == mount.end()) {
    return false;
  }
  Json kept = Json::array();
  std::copy_if(options->begin(), options->end(), std::back_inserter(kept),
               [](const Json& option) { return !is_v1_option(option.get_ref<const std::string&>()); });
  const bool changed = kept.size() != options->size();
  if (changed) {
    *options = std::move(kept);
  }
  return changed;
}

/// Replaces the tmpfs that held the v1 hierarchies by the unified hierarchy.
bool convert_cgroup_tmpfs(Json& mount) {
  if (text_of(mount, "type") != "tmpfs" || without_slashes(text_of(mount, "destination")) != cgroup_directory) {
    return false;
  }
  mount["type"] = "cgroup";
  mount["source"] = "cgroup";
  mount["options"] = {"ro", "nosuid", "noexec", "nodev", "relatime"};
  return true;
}

void convert_v1_cgroups(Json& mounts, std::vector<std::string>& done) {
  std::vector<std::string> removed;
  Json kept = Json::array();
  for (auto& mount : mounts) {
    if (is_v1_hierarchy(mount)) {
      removed.emplace_back(base::printable(text_of(mount, "destination")));
    } else {
      kept.push_back(std::move(mount));
    }
  }
  mounts = std::move(kept);
  bool options = false;
  bool tmpfs = false;
  for (auto& mount : mounts) {
    options = drop_v1_options(mount) || options;
    tmpfs = (!removed.empty() && convert_cgroup_tmpfs(mount)) || tmpfs;
  }
  if (!removed.empty()) {
    done.push_back(fmt::format("mounts of cgroup v1 hierarchies removed, this host has unified cgroups: {}",
                               fmt::join(removed, ", ")));
  }
  if (tmpfs) {
    done.emplace_back("mounts: the tmpfs on /sys/fs/cgroup converted to a read-only mount of the unified cgroups");
  }
  if (options) {
    done.emplace_back("mounts: cgroup v1 options removed from the mount of /sys/fs/cgroup");
  }
}

}  // namespace

bool has_host_path(const base::Json& document, std::string_view path) {
  bool found = false;
  const auto mounts = document.find("mounts");
  for (const auto& mount : mounts == document.end() ? Json::array() : *mounts) {
    const auto destination = without_slashes(text_of(mount, "destination"));
    const auto rest = path.substr(std::min(destination == "/" ? 0 : destination.size(), path.size()));
    if (path.starts_with(destination) && (rest.empty() || rest.front() == '/')) {
      const auto source = without_slashes(text_of(mount, "source"));
      found = has_option(mount, {"bind", "rbind"}) && fmt::format("{}{}", source == "/" ? "" : source, rest) == path;
    }
  }
  return found;
}

std::vector<std::string> convert_mounts(base::Json& document, bool cgroup_unified) {
  std::vector<std::string> done;
  const auto mounts = document.find("mounts");
  if (mounts == document.end()) {
    return done;
  }
  std::vector<std::string> binds;
  std::vector<std::string> relative;
  for (auto& mount : *mounts) {
    if (text_of(mount, "type") == "bind" && !has_option(mount, {"bind", "rbind"})) {
      auto& options = mount["options"];
      options.insert(options.is_array() ? options.begin() : (options = Json::array()).begin(), "bind");
      binds.emplace_back(base::printable(text_of(mount, "destination")));
    }
    if (const std::string destination(text_of(mount, "destination")); !destination.starts_with('/')) {
      mount["destination"] = "/" + destination;
      relative.emplace_back(base::printable(destination));
    }
  }
  if (!binds.empty()) {
    done.push_back(fmt::format("mounts: option bind added to mounts of type bind: {}", fmt::join(binds, ", ")));
  }
  if (!relative.empty()) {
    done.push_back(fmt::format("mounts: relative destinations made absolute: {}", fmt::join(relative, ", ")));
  }
  if (cgroup_unified) {
    convert_v1_cgroups(*mounts, done);
  }
  return done;
}

}  // namespace berth::render
