// SPDX-License-Identifier: LGPL-2.1-or-later
#include "host/state/deployment.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <functional>
#include <iterator>

#include "base/error.hpp"
#include "base/fd.hpp"
#include "base/file.hpp"
#include "base/hint.hpp"
#include "base/scope_exit.hpp"

namespace berth::host {

namespace {

using base::Error;
using base::ErrorKind;

/// The slot in a link target of the container `name`: `NAME.0`, `./NAME.1`, `/any/where/NAME.0`. The whole name is
/// compared, not its end: a container may be called `foo.0`, with the target `foo.0.0`.
std::optional<int> slot_of_target(std::string_view target, const std::string& name) {
  const std::size_t slash = target.rfind('/');
  const std::string_view directory = slash == std::string_view::npos ? "" : target.substr(0, slash);
  const std::string_view last = slash == std::string_view::npos ? target : target.substr(slash + 1);
  const bool beside = directory.empty() ? slash != 0 : directory == "." || directory.starts_with('/');
  if (!beside) {
    return std::nullopt;
  }
  for (const int slot : {0, 1}) {
    if (last == slot_name(name, slot)) {
      return slot;
    }
  }
  return std::nullopt;
}

constexpr const char* broken_hint = "repair it, or remove the container with `berth uninstall`";

[[noreturn]] void throw_broken(std::string reason) {
  throw Error(ErrorKind::failed, std::move(reason), broken_hint);
}

base::Fd open_slot(int directory, const std::string& path, const std::string& name, const std::string& below) {
  base::Fd opened(::openat(directory, below.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (opened) {
    return opened;
  }
  if (const auto status = base::stat_at(directory, below); !status) {
    throw_broken(fmt::format("the link {}/{} points to {}, which does not exist", path, name, below));
  } else if (!S_ISDIR(status->st_mode)) {
    throw_broken(fmt::format("{}/{} is not a directory", path, below));
  }
  return base::open_directory_at(directory, below);  // throws the reason
}

using InfoParser = std::function<DeploymentInfo(std::string_view text, std::string_view document)>;

/// Reads the deployment of the link `name` with `target` in the open directory `path`.
Deployment read_deployment(int directory, const std::string& path, const std::string& name, const std::string& target,
                           bool preinstalled, const InfoParser& parse) {
  const auto slot = slot_of_target(target, name);
  if (!slot) {
    throw_broken(fmt::format("the link {}/{} points to {} instead of {}.0 or {}.1", path, name, target, name, name));
  }
  Deployment deployment;
  deployment.name = name;
  deployment.slot = *slot;
  deployment.path = fmt::format("{}/{}.{}", path, name, *slot);
  deployment.preinstalled = preinstalled;
  const base::Fd opened = open_slot(directory, path, name, slot_name(name, *slot));
  if (const auto status = base::stat_at(opened.get(), "info"); status && !S_ISREG(status->st_mode)) {
    throw_broken(fmt::format("{}/info is not a regular file", deployment.path));
  }
  deployment.info = base::with_hint(broken_hint, [&] {
    const auto text = base::read_file_at(opened.get(), "info", base::json_size_limit);
    if (!text) {
      throw_broken(fmt::format("{} has no info file", deployment.path));
    }
    return parse(*text, deployment.path + "/info");
  });
  return deployment;
}

bool holds(const DeploymentList& list, const std::string& name) {
  const auto same = [&](const auto& entry) { return entry.name == name; };
  return std::any_of(list.deployments.begin(), list.deployments.end(), same) ||
         std::any_of(list.broken.begin(), list.broken.end(), same);
}

/// Adds the containers of one directory that are not in the list yet.
void add_directory(const std::string& path, bool preinstalled, const InfoParser& parse, DeploymentList& list) {
  const auto directory = base::find_host_directory(path);
  if (!directory) {
    return;
  }
  std::string slot;  // of the container before, a directory whose name comes next
  for (const std::string& name : base::list_directory(directory->get())) {
    if (name == slot) {
      continue;
    }
    const auto target = is_container_name(name) ? base::read_link_at(directory->get(), name) : std::nullopt;
    if (!target || (preinstalled && holds(list, name))) {
      continue;
    }
    try {
      list.deployments.push_back(read_deployment(directory->get(), path, name, *target, preinstalled, parse));
      slot = *target;
    } catch (const Error& error) {
      list.broken.push_back({name, error.what()});
    }
  }
}

std::optional<Deployment> find_in(const std::string& path, const std::string& name, bool preinstalled) {
  const auto directory = base::find_host_directory(path);
  const auto target = directory ? base::read_link_at(directory->get(), name) : std::nullopt;
  if (!target) {
    return std::nullopt;
  }
  return base::in_context(
      [&] { return "container " + name; },
      [&] { return read_deployment(directory->get(), path, name, *target, preinstalled, parse_info); });
}

}  // namespace

std::string slot_name(const std::string& name, int slot) {
  return fmt::format("{}.{}", name, slot);
}

std::string recorded_checksum(const DeploymentInfo& info, const std::string& path) {
  const auto found = info.installed_files_checksum.find(path);
  return found == info.installed_files_checksum.end() ? "" : found->second;
}

std::optional<int> current_slot(const Layout& layout, const std::string& name) {
  const auto directory = base::find_host_directory(layout.deployments());
  const auto target = directory ? base::read_link_at(directory->get(), name) : std::nullopt;
  return target ? slot_of_target(*target, name) : std::nullopt;
}

std::optional<Deployment> find_deployment(const Layout& layout, const std::string& name) {
  check_container_name(name);
  auto installed = find_in(layout.deployments(), name, false);
  return installed ? std::move(installed) : find_in(layout.preinstalled(), name, true);
}

bool is_preinstalled(const Layout& layout, const std::string& name) {
  const auto directory = base::find_host_directory(layout.preinstalled());
  return directory && base::read_link_at(directory->get(), name).has_value();
}

Deployment installed_deployment(const Layout& layout, const std::string& name) {
  auto deployment = find_deployment(layout, name);
  if (!deployment) {
    throw_not_installed(name);
  }
  return std::move(*deployment);
}

void throw_not_installed(const std::string& name) {
  throw Error(ErrorKind::not_found, fmt::format("no container {} is installed", name),
              "berth containers list --all shows those that are");
}

void refuse_name_conflict(const Layout& layout, const std::string& name) {
  const auto directory = base::find_host_directory(layout.deployments());
  const auto refuse = [](std::string message, std::string hint = "choose another name with --name") {
    throw Error(ErrorKind::conflict, std::move(message), std::move(hint));
  };
  if (!directory) {
    return;
  }
  if (base::stat_at(directory->get(), name)) {
    refuse(fmt::format("{}/{} exists and is not a container", layout.deployments(), name));
  }
  const bool slot_like = name.ends_with(".0") || name.ends_with(".1");
  if (const auto other = name.substr(0, name.size() - 2); slot_like && base::read_link_at(directory->get(), other)) {
    refuse(fmt::format("{} is the path of a deployment of the container {}", name, other));
  }
  for (const int slot : {0, 1}) {
    const std::string deployment = slot_name(name, slot);
    const auto status = base::stat_at(directory->get(), deployment);
    if (status && S_ISLNK(status->st_mode)) {
      refuse(fmt::format("the container {} has the path of a deployment of {}", deployment, name));
    }
    if (status) {
      refuse(fmt::format("{}/{} is left over from a container", layout.deployments(), deployment),
             fmt::format("remove it with: berth uninstall {}", name));
    }
  }
}

namespace {

DeploymentList list_with(const Layout& layout, const InfoParser& parse) {
  DeploymentList list;
  add_directory(layout.deployments(), false, parse, list);
  add_directory(layout.preinstalled(), true, parse, list);
  const auto by_name = [](const auto& left, const auto& right) { return left.name < right.name; };
  std::sort(list.deployments.begin(), list.deployments.end(), by_name);
  std::sort(list.broken.begin(), list.broken.end(), by_name);
  return list;
}

void remove_directories(const std::vector<std::string>& paths) noexcept {
  for (auto path = paths.rbegin(); path != paths.rend(); ++path) {
    ::unlinkat(AT_FDCWD, path->c_str(), AT_REMOVEDIR);
  }
}

}  // namespace

DeploymentList list_deployments(const Layout& layout) {
  return list_with(layout, parse_info);
}

DeploymentList list_summaries(const Layout& layout, std::span<const std::string_view> wanted) {
  return list_with(layout, [wanted](auto text, auto document) { return parse_info_summary(text, document, wanted); });
}

std::vector<std::string> make_deployments_directory(const Layout& layout) {
  constexpr mode_t private_mode = 0700;
  const auto path = layout.deployments();
  if (base::stat_at(AT_FDCWD, path)) {
    return {};  // commands that free space must work on a full disk as well
  }
  auto created = base::make_directories_at(AT_FDCWD, base::split_path(path).first, layout.user() ? private_mode : 0755);
  base::ScopeExit undo([&]() noexcept { remove_directories(created); });
  auto own = base::make_directories_at(AT_FDCWD, path, private_mode);
  undo.dismiss();
  std::move(own.begin(), own.end(), std::back_inserter(created));
  return created;
}

}  // namespace berth::host
