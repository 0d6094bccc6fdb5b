// What a config.json depends on besides the image.
#pragma once

#include <optional>
#include <string>

#include "render/spec/rootless_config.hpp"

namespace berth::render {

/// What the host offers, as far as config.json depends on it.
struct HostFeatures {
  bool selinux = false;
  bool apparmor = false;
  bool cgroup_unified = true;
  bool resolv_conf = true;  ///< /etc/resolv.conf exists, links followed (generate_config only)
  bool hosts = true;        ///< /etc/hosts exists (generate_config only)
  /// Where the unit puts copies of both at each start (with_resolver_copies), which are bound in their place; empty:
  /// there is no unit, and the files themselves are (generate_config only).
  std::string resolver_directory{};
  /// The unit reports to systemd (sd_notify(3)). Runtimes put a socket of their own at $NOTIFY_SOCKET, which cannot
  /// work where the container has the host's /run: its mount would be the host's as well (finish_config only).
  bool unit_notifies = false;
  std::string
      volume_directory{};  ///< where volumes are; empty: volume_directory() of the values (generate_config only)
  std::optional<Rootless> user = std::nullopt;  ///< the container is one of a user's (finish_config only)
  bool writable_root = false;  ///< the root file system is the container's own, and goes with it (finish_config only)
};

}  // namespace berth::render
