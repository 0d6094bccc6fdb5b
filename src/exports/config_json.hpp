// config.json of a deployment: checked, brought up to date, or made from the image configuration.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.hpp"
#include "exports/config_user.hpp"
#include "exports/values.hpp"
#include "image/manifest.hpp"

namespace berth::exports {

/// What the host offers, as far as config.json depends on it.
struct HostFeatures {
  bool selinux = false;
  bool apparmor = false;
  bool cgroup_unified = true;
  bool resolv_conf = true;  ///< /etc/resolv.conf exists, links followed (generate_config only)
  bool hosts = true;        ///< /etc/hosts exists (generate_config only)
  /// Where the unit puts copies of both at each start (with_resolver_copies), which are bound in their place; empty:
  /// there is no unit, and the files themselves are (generate_config only).
  std::string resolver_folder{};
  /// The unit reports to systemd (sd_notify(3)). Runtimes put a socket of their own at $NOTIFY_SOCKET, which cannot
  /// work where the container has the host's /run: its mount would be the host's as well (finish_config only).
  bool unit_notifies = false;
  std::string volume_folder{};  ///< where volumes are; empty: volume_folder() of the values (generate_config only)
  std::optional<UserSpace> user = std::nullopt;  ///< the container is one of a user's (finish_config only)
  bool writable_root = false;  ///< the root file system is the container's own, and goes with it (finish_config only)
};

/// A finished config.json.
struct RuntimeConfig {
  std::string text;  ///< exactly what is written; untouched input stays byte for byte
  base::Json document;
  std::vector<std::string> conversions;  ///< one sentence each, e.g. "capabilities list converted to sets"
  bool notifies_itself = false;  ///< the payload uses the host's socket; the runtime must not know of NOTIFY_SOCKET
};

/// Brings a rendered config.json to OCI runtime-spec 1.0.2 (contract, section 9) and checks it.
/// A missing linux.cgroupsPath becomes `cgroups_path` (not reported as a conversion).
/// @param remote_rootfs absolute path for --rootfs; empty: root.path must be `rootfs`
/// @throws Error when root is not read-only, unless it may be written, or root.path is another
RuntimeConfig finish_config(std::string_view text, std::string_view file, const HostFeatures& features,
                            const std::string& cgroups_path, const std::string& remote_rootfs = {});

/// Makes config.json text for an image without one from its OCI configuration (contract, section 6): arguments,
/// environment, user resolved against rootfs's own passwd and group (never the host's), working directory, volumes as
/// binds (volumes.hpp), host network, /etc/resolv.conf and /etc/hosts of the host, default capabilities.
/// /tmp, /run, /var/tmp and /var/cache are tmpfs. There are no rlimits: those of the unit hold. Mount points and a
/// working directory that the image lacks are made by the runtime inside the checkout, as empty files and folders;
/// nothing shared with the repository is touched by that.
/// @param rootfs descriptor of the checked-out root file system
/// @throws Error(failed) "no command specified", unknown user …
std::string generate_config(const image::ImageConfig& image, int rootfs, const Values& values,
                            const HostFeatures& features = {});

/// What a generated config.json lacks of the image configuration, one sentence each: entries of its environment that
/// are no variables.
std::vector<std::string> left_out_of_generated(const image::ImageConfig& image);

/// Host paths that bind mounts of a final config.json use as sources, in order.
std::vector<std::string> bind_sources(const base::Json& config);

}  // namespace berth::exports
