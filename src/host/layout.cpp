// SPDX-License-Identifier: LGPL-2.1-or-later
#include "host/layout.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <filesystem>
#include <optional>

#include "base/error.hpp"
#include "base/file.hpp"
#include "host/files/private_directory.hpp"
#include "host/files/root_directory.hpp"

namespace berth::host {

namespace {

constexpr std::size_t unit_name_limit = 255;  // systemd.unit(5)
constexpr std::string_view unit_suffix = ".service";
constexpr const char* system_directory = "/var/lib/containers/berth";
constexpr const char* preinstalled_directory = "/usr/lib/containers/berth";
constexpr std::string_view system_repository = "/ostree/repo";

/// Absolute, without `.`, `..`, double and trailing slashes; "/" for the root itself.
std::string normalised(const std::string& path, std::string_view what) {
  if (!path.starts_with('/')) {
    throw base::Error(base::ErrorKind::usage, fmt::format("the {} '{}' is not an absolute path", what, path),
                      "give a path that begins with '/'");
  }
  std::string text = "/" + std::filesystem::path(path).lexically_normal().relative_path().string();
  while (text.size() > 1 && text.ends_with('/')) {
    text.pop_back();
  }
  return text;
}

std::optional<dev_t> device_of(const std::string& path) {
  struct stat status {};
  if (::stat(path.c_str(), &status) < 0) {
    return std::nullopt;
  }
  return status.st_dev;
}

/// The file system of `path`, or of its nearest existing parent.
std::optional<dev_t> device_of_nearest(std::string path) {
  while (true) {
    if (const auto device = device_of(path)) {
      return device;
    }
    if (path == "/" || path.empty()) {
      return std::nullopt;
    }
    path = std::filesystem::path(path).parent_path().string();
  }
}

bool is_alphanumeric(char letter) {
  return (letter >= 'a' && letter <= 'z') || (letter >= 'A' && letter <= 'Z') || (letter >= '0' && letter <= '9');
}

bool is_name_letter(char letter) {
  return is_alphanumeric(letter) || letter == '_' || letter == '.' || letter == '-';
}

/// `path` with the links in it resolved inside `root`, as after a chroot: a link `ROOT/var -> /data` must not lead to
/// the /data of this machine.
std::string resolved_in_root(const std::string& root, const std::string& path) {
  if (root == "/" || !device_of(root)) {
    return path;
  }
  return resolve_in_root(base::open_host_directory(root).get(), path);
}

/// Whether users other than root can reach a directory in `root`.
bool is_open(const std::string& root, const std::string& path) {
  return others_can_reach(base::open_host_directory(root).get(), path);
}

}  // namespace

Layout::Layout(LayoutSettings settings) : settings_(std::move(settings)) {
  settings_.root = normalised(settings_.root.empty() ? "/" : settings_.root, "root");
  if (settings_.deployments.empty() || settings_.preinstalling) {
    const std::string own = settings_.preinstalling ? preinstalled_directory : system_directory;
    settings_.deployments = settings_.user ? settings_.user->data + "/containers/berth" : own;
  }
  settings_.deployments = resolved_in_root(settings_.root, normalised(settings_.deployments, "deployments directory"));
  if (!settings_.repository.empty()) {
    settings_.repository = normalised(settings_.repository, "repository");
  }
}

Layout Layout::of_system() const {
  auto settings = settings_;
  if (settings.user) {
    settings.user.reset();
    settings.deployments.clear();  // deployments and repository were the user's
    settings.repository.clear();
  }
  return Layout(std::move(settings));
}

std::string Layout::on_disk(std::string_view inside) const {
  std::string path = inside.starts_with('/') ? std::string(inside) : fmt::format("/{}", inside);
  if (settings_.root == "/") {
    return path;
  }
  path = resolved_in_root(settings_.root, path);
  return path == "/" ? settings_.root : settings_.root + path;
}

std::string Layout::deployments_in_root() const {
  return settings_.deployments;
}

std::string Layout::volumes_in_root() const {
  return settings_.user ? settings_.user->data + "/berth" : "/var/lib/berth";
}

std::string Layout::preinstalled() const {
  return settings_.user || settings_.preinstalling ? "" : on_disk(preinstalled_directory);
}

std::string Layout::deployment_in_root(const std::string& name, int slot) const {
  return fmt::format("{}/{}.{}", settings_.deployments, name, slot);
}

std::string Layout::units_in_root() const {
  if (settings_.preinstalling) {
    return "/usr/lib/systemd/system";
  }
  return settings_.user ? settings_.user->config + "/systemd/user" : "/etc/systemd/system";
}

std::string Layout::unit_in_root(const std::string& name) const {
  return fmt::format("{}/{}", units_in_root(), unit_name(name));
}

std::string Layout::tmpfiles_in_root(const std::string& name) const {
  const std::string system = settings_.preinstalling ? "/usr/lib/tmpfiles.d" : "/etc/tmpfiles.d";
  return fmt::format("{}/{}.conf", settings_.user ? settings_.user->config + "/user-tmpfiles.d" : system, name);
}

std::vector<std::string> Layout::unit_directories_in_root() const {
  if (const auto& user = settings_.user) {
    return {units_in_root(),        "/etc/systemd/user",          user->runtime + "/systemd/user",
            "/run/systemd/user",    user->data + "/systemd/user", "/usr/local/lib/systemd/user",
            "/usr/lib/systemd/user"};
  }
  return {"/etc/systemd/system", "/run/systemd/system", "/usr/local/lib/systemd/system", "/usr/lib/systemd/system",
          "/lib/systemd/system"};
}

std::string Layout::settings_in_root() const {
  return settings_.user ? settings_.user->config + "/berth" : "/etc/berth";
}

std::string Layout::runtime_in_root() const {
  return settings_.user ? settings_.user->runtime : "/run";
}

std::string Layout::systemd_cgroup() const {
  return settings_.user ? fmt::format("/user.slice/user-{0}.slice/user@{0}.service", settings_.user->uid) : "";
}

std::string Layout::default_slice() const {
  return settings_.user ? "app.slice" : "system.slice";
}

std::string Layout::command(std::string_view program) const {
  return fmt::format("{}{}", program, settings_.user ? " --user" : "");
}

// Checkouts are hard links, which cannot lead to another file system.
std::string Layout::linkable_repository() const {
  if (settings_.user || (!settings_.repository.empty() && settings_.repository != system_repository)) {
    return {};
  }
  auto shared = on_disk(system_repository);
  const auto device = device_of(shared);
  return device && device == device_of_nearest(deployments()) ? std::move(shared) : std::string();
}

std::string Layout::repository() const {
  const auto& configured = settings_.repository;
  if (!configured.empty() && (configured != system_repository || !is_open(settings_.root, configured))) {
    return on_disk(configured);
  }
  if (auto shared = linkable_repository();
      !shared.empty() && !is_open(settings_.root, std::string(system_repository))) {
    return shared;
  }
  return on_disk(settings_.deployments + "/.storage/ostree");
}

std::string Layout::read_only_repository() const {
  auto shared = linkable_repository();
  return !shared.empty() && is_open(settings_.root, std::string(system_repository)) ? std::move(shared) : std::string();
}

std::string Layout::locks() const {
  return deployments() + "/.locks";  // before links are followed
}

std::string Layout::journals() const {
  return deployments() + "/.transactions";
}

std::string unit_name(const std::string& container) {
  return container + std::string(unit_suffix);
}

std::string tmpfiles_copy_name(const std::string& container) {
  return fmt::format("tmpfiles-{}.conf", container);
}

void check_container_name(std::string_view name) {
  const auto refuse = [&](std::string_view reason) {
    throw base::Error(base::ErrorKind::usage, fmt::format("the container name '{}' {}", base::printable(name), reason),
                      "choose another one with --name");
  };
  if (name.empty()) {
    refuse("is empty");
  }
  if (!is_alphanumeric(name.front())) {
    refuse("does not begin with a letter or digit");
  }
  if (!std::all_of(name.begin(), name.end(), is_name_letter)) {
    refuse("holds something other than letters, digits, '_', '.' and '-'");
  }
  if (name.size() + unit_suffix.size() > unit_name_limit) {
    refuse(fmt::format("is longer than {} letters", unit_name_limit - unit_suffix.size()));
  }
}

bool is_container_name(std::string_view name) {
  try {
    check_container_name(name);
  } catch (const base::Error&) {
    return false;
  }
  return true;
}

}  // namespace berth::host
