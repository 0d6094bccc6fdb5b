// SPDX-License-Identifier: LGPL-2.1-or-later
// Converts the configuration of a container for rootless mode: to what a process without privileges on the host can set
// up (docs/system-containers.md, "User mode").
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/json_fwd.hpp"

namespace berth::render {

/// One line of a uid_map or gid_map (user_namespaces(7)).
struct IdMapping {
  unsigned container = 0;
  unsigned host = 0;
  unsigned size = 0;

  friend bool operator==(const IdMapping&, const IdMapping&) = default;
};

/// The user who runs the container, and the ids and controllers available to the user.
struct Rootless {
  std::vector<IdMapping> uids;  ///< 0 is the user; further ids are subordinate ids (subuid(5))
  std::vector<IdMapping> gids;
  std::string name;                      ///< of the user, for messages
  std::vector<std::string> controllers;  ///< cgroup controllers delegated to the user
  /// Whether the runtime sets supplementary groups in a user namespace (crun); runc keeps those of the user instead.
  bool sets_groups = false;
  std::string remedy{};  ///< the command by which root gives the user more ids
};

/// Maps 0 to `own`, followed without a gap by the ranges (first, count), up to 2^32 - 2 ids in all.
std::vector<IdMapping> id_mappings(unsigned own, const std::vector<std::pair<unsigned, unsigned>>& ranges);

/// Puts the container into a user namespace with the network of the host, and removes or replaces settings that only
/// root can apply: sysfs, kernel file systems of namespaces shared with the host, devices, device rules, limits of
/// controllers that are not delegated, raised rlimits, ids that are not mapped.
/// @param document checked and converted; changed in place
/// @param cgroups_path replaces a path of the image, which the user could not write to
/// @return one message for each kind of setting that was removed
/// @throws Error(not_permitted) when the container's user is not mapped
std::vector<std::string> convert_to_rootless(base::Json& document, const Rootless& rootless,
                                             const std::string& cgroups_path);

/// Converts a system unit into a user unit: multi-user.target and graphical.target in [Install] become default.target.
/// Everything else stays byte for byte.
std::string rootless_unit(std::string_view unit);

/// Whether the command of a container runs as its root.
bool runs_as_root(const base::Json& document);

/// tmpfiles.d(5) lines without owners, which only root can set: the user owns everything.
/// @param group_writes the container's command does not run as its root but as a member of the user's group, which gets
///   the rights of the owner
std::string rootless_tmpfiles(std::string_view lines, bool group_writes);

}  // namespace berth::render
