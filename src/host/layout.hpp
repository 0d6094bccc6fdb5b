// SPDX-License-Identifier: LGPL-2.1-or-later
// All paths that berth uses, below one root.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "host/user_directories.hpp"

namespace berth::host {

/// Settings that change paths; an empty string means the default.
struct LayoutSettings {
  std::string root = "/";   ///< --root; absolute
  bool running = false;     ///< systemd runs in `root` although that is not `/`, as in tests
  std::string deployments;  ///< default /var/lib/containers/berth
  std::string repository;   ///< default see Layout::repository
  /// Set for rootless containers: all paths are then below the user's directories, and systemd is the user's manager.
  std::optional<UserDirectories> user;
  /// Containers become part of the operating system that is being built in `root`: all paths are below its /usr/lib,
  /// since the booted host cannot write to /usr.
  bool preinstalling = false;
};

/// Functions named `…_in_root` return paths as the booted host sees them, all others paths that this process can open
/// (with the root in front). With the root "/" both are the same.
class Layout {
 public:
  explicit Layout(LayoutSettings settings);

  [[nodiscard]] const std::string& root() const noexcept { return settings_.root; }
  /// True for --root DIR other than `/`: no bus, no runtime.
  [[nodiscard]] bool offline() const noexcept { return settings_.root != "/" && !settings_.running; }
  /// A path inside the root as this process opens it: on_disk("/etc/x") → ROOT/etc/x. Links on the way and at its end
  /// are followed inside another root, so that no path leads out of it.
  [[nodiscard]] std::string on_disk(std::string_view inside) const;

  /// The layout of the system containers with the same root and settings.
  [[nodiscard]] Layout of_system() const;
  [[nodiscard]] bool preinstalling() const noexcept { return settings_.preinstalling; }
  /// The user whose containers these are; nullopt for system containers.
  [[nodiscard]] const std::optional<UserDirectories>& user() const noexcept { return settings_.user; }

  [[nodiscard]] std::string deployments_in_root() const;  ///< /var/lib/containers/berth
  /// The directory of the volumes that berth places, as NAME/…: /var/lib/berth
  [[nodiscard]] std::string volumes_in_root() const;
  [[nodiscard]] std::string deployments() const { return on_disk(deployments_in_root()); }
  [[nodiscard]] std::string preinstalled() const;  ///< /usr/lib/containers/berth; empty in user mode,
  /// and where deployments() is that directory
  [[nodiscard]] std::string deployment_in_root(const std::string& name, int slot) const;  ///< …/NAME.0
  [[nodiscard]] std::string units_in_root() const;                                        ///< /etc/systemd/system
  [[nodiscard]] std::string unit_in_root(const std::string& name) const;      ///< /etc/systemd/system/NAME.service
  [[nodiscard]] std::string tmpfiles_in_root(const std::string& name) const;  ///< /etc/tmpfiles.d/NAME.conf
  /// The unit load path of systemd, the directory of berth's units first (systemd.unit(5)).
  [[nodiscard]] std::vector<std::string> unit_directories_in_root() const;
  [[nodiscard]] std::string settings_in_root() const;  ///< /etc/berth
  [[nodiscard]] std::string runtime_in_root() const;   ///< /run
  /// The cgroup that holds the slices: the root cgroup, or that of the user's manager.
  [[nodiscard]] std::string systemd_cgroup() const;
  /// The default slice of services: system.slice, or app.slice.
  [[nodiscard]] std::string default_slice() const;
  /// The command line of a program of systemd: `systemctl`, or `systemctl --user`.
  [[nodiscard]] std::string command(std::string_view program) const;

  /// The configured repository; else /ostree/repo when it exists on the file system of the deployments and only root
  /// can enter it; else .storage/ostree below the deployments (docs/system-containers.md, "Deployments on disk").
  [[nodiscard]] std::string repository() const;
  /// /ostree/repo when it exists on the file system of the deployments and other users can enter it: berth lists and
  /// uses its images but does not write to it. Empty otherwise, and in user mode.
  [[nodiscard]] std::string read_only_repository() const;
  [[nodiscard]] std::string locks() const;     ///< .locks below the deployments
  [[nodiscard]] std::string journals() const;  ///< .transactions below the deployments

 private:
  /// /ostree/repo when files can be hard-linked from it into the deployments; empty otherwise.
  [[nodiscard]] std::string linkable_repository() const;
  LayoutSettings settings_;
};

/// `NAME.service`
std::string unit_name(const std::string& container);

/// `tmpfiles-NAME.conf`: the copy of a container's tmpfiles.d file in each of its deployments
std::string tmpfiles_copy_name(const std::string& container);

/// Checks [a-zA-Z0-9][a-zA-Z0-9_.-]* and that the unit name fits (255 bytes). @throws Error(usage)
void check_container_name(std::string_view name);

/// Whether check_container_name accepts the name.
bool is_container_name(std::string_view name);

}  // namespace berth::host
