// SPDX-License-Identifier: LGPL-2.1-or-later
// Facts outside the image that a config.json depends on.
#pragma once

#include <optional>
#include <string>

#include "render/spec/rootless_config.hpp"

namespace berth::render {

/// Features of the host, and how the container is to be run.
struct HostFeatures {
  bool selinux = false;
  bool apparmor = false;
  bool cgroup_unified = true;
  bool resolv_conf = true;  ///< /etc/resolv.conf exists, links followed (generate_config only)
  bool hosts = true;        ///< /etc/hosts exists (generate_config only)
  /// The directory where the unit puts copies of both at each start (with_resolver_copies), which are then bound
  /// instead; empty: there is no unit, and the files themselves are bound (generate_config only).
  std::string resolver_directory{};
  /// The unit accepts sd_notify(3) messages. Runtimes mount a socket of their own at $NOTIFY_SOCKET, which fails where
  /// the container has the host's /run, since the mount would appear on the host as well (finish_config only).
  bool unit_notifies = false;
  std::string volume_directory{};                   ///< empty: volume_directory() of the values (generate_config only)
  std::optional<Rootless> rootless = std::nullopt;  ///< the container of a user (finish_config only)
  bool writable_root = false;  ///< the root file system belongs to this container alone (finish_config only)
};

}  // namespace berth::render
