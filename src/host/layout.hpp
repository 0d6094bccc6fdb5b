// Every path berth uses, below one root.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "host/user_directories.hpp"

namespace berth::host {

/// Settings that move things; empty strings mean the default.
struct LayoutSettings {
  std::string root = "/";   ///< --root; absolute
  bool running = false;     ///< systemd runs in `root` although that is not `/`, as in tests
  std::string deployments;  ///< default /var/lib/containers/berth
  std::string repository;   ///< default see Layout::repository
  /// Set for the containers of one user: everything is then below the user's directories, and systemd is the user's.
  std::optional<UserDirectories> user;
  /// Containers become part of the operating system that is being built in `root`: all is below its /usr/lib, as on a
  /// host whose /usr cannot be written.
  bool preinstalling = false;
};

/// Paths as the *booted* host sees them come from the functions named `…_inside`; all others are paths this process can
/// open (root prefixed). With root "/" both are the same.
class Layout {
 public:
  explicit Layout(LayoutSettings settings);

  [[nodiscard]] const std::string& root() const noexcept { return settings_.root; }
  /// True for --root DIR other than `/`: no bus, no runtime.
  [[nodiscard]] bool offline() const noexcept { return settings_.root != "/" && !settings_.running; }
  /// A path inside the root as this process opens it: on_disk("/etc/x") → ROOT/etc/x. Links on the way and at its end
  /// are followed inside another root, so that no path leads out of it.
  [[nodiscard]] std::string on_disk(std::string_view inside) const;

  /// The same root and settings for the containers of the system, whoever asks.
  [[nodiscard]] Layout of_system() const;
  [[nodiscard]] bool preinstalling() const noexcept { return settings_.preinstalling; }
  /// Whose containers these are; nullopt for those of the system.
  [[nodiscard]] const std::optional<UserDirectories>& user() const noexcept { return settings_.user; }

  [[nodiscard]] std::string deployments_in_root() const;  ///< /var/lib/containers/berth
  /// Where the data of all containers are that berth finds a place for: /var/lib/berth, NAME/… in it
  [[nodiscard]] std::string volumes_in_root() const;
  [[nodiscard]] std::string deployments() const { return on_disk(deployments_in_root()); }
  [[nodiscard]] std::string preinstalled() const;  ///< /usr/lib/containers/berth; empty for users, who have none,
  /// and where deployments() is that directory
  [[nodiscard]] std::string deployment_in_root(const std::string& name, int slot) const;  ///< …/NAME.0
  [[nodiscard]] std::string units_in_root() const;                                        ///< /etc/systemd/system
  [[nodiscard]] std::string unit_in_root(const std::string& name) const;      ///< /etc/systemd/system/NAME.service
  [[nodiscard]] std::string tmpfiles_in_root(const std::string& name) const;  ///< /etc/tmpfiles.d/NAME.conf
  /// All directories in which systemd looks for units, ours first (systemd.unit(5)).
  [[nodiscard]] std::vector<std::string> unit_directories_in_root() const;
  [[nodiscard]] std::string settings_in_root() const;  ///< /etc/berth
  [[nodiscard]] std::string runtime_in_root() const;   ///< /run
  /// The cgroup below which systemd has its slices: the root, or that of the user's manager.
  [[nodiscard]] std::string systemd_cgroup() const;
  /// Where services are that name no slice: system.slice, or app.slice.
  [[nodiscard]] std::string default_slice() const;
  /// A program of systemd as its user has to call it: `systemctl`, or `systemctl --user`.
  [[nodiscard]] std::string command(std::string_view program) const;

  /// The configured one, else /ostree/repo when it exists on the file system of the deployments and nobody but root can
  /// enter it, else .storage/ostree below the deployments (contract, section 4).
  [[nodiscard]] std::string repository() const;
  /// /ostree/repo where it exists on the file system of the deployments and others can enter it: its images are listed
  /// and taken from there, and nothing is written to it. Empty when there is none, and for users.
  [[nodiscard]] std::string read_only_repository() const;
  [[nodiscard]] std::string locks() const;     ///< .locks below the deployments
  [[nodiscard]] std::string journals() const;  ///< .transactions below the deployments

 private:
  /// /ostree/repo, if checkouts could be linked from it; empty otherwise.
  [[nodiscard]] std::string linkable_repository() const;
  LayoutSettings settings_;
};

/// `NAME.service`
std::string unit_name(const std::string& container);

/// Checks [a-zA-Z0-9][a-zA-Z0-9_.-]* and that the unit name fits (255 bytes). @throws Error(usage)
void check_container_name(std::string_view name);

}  // namespace berth::host
