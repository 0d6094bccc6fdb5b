// config.json for a container of a user: what a process without rights on the host can set up (contract, section 8).
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/json.hpp"

namespace berth::render {

/// One line of a uid_map or gid_map (user_namespaces(7)).
struct IdMapping {
  unsigned container = 0;
  unsigned host = 0;
  unsigned size = 0;

  friend bool operator==(const IdMapping&, const IdMapping&) = default;
};

/// Whose container it is, and what he may use.
struct Rootless {
  std::vector<IdMapping> uids;  ///< the user himself is 0; more only as far as he has sub-ids
  std::vector<IdMapping> gids;
  std::string name;                      ///< of the user, for messages
  std::vector<std::string> controllers;  ///< of cgroups that are handed down to his services
  /// The runtime sets supplementary groups in a user namespace (crun); runc keeps those of the user instead.
  bool sets_groups = false;
  std::string remedy{};  ///< the command by which root gives the user more ids
};

/// 0 is `own`, and what the ranges give (first, count) follows it without a gap, to at most 2^32 - 2 in all.
std::vector<IdMapping> id_mappings(unsigned own, const std::vector<std::pair<unsigned, unsigned>>& ranges);

/// Puts the container into a user namespace, without a network of its own, and takes out or replaces what only root can
/// set up: sysfs, kernel file systems of namespaces that are the host's, devices, rules for devices, limits of
/// controllers that the user has not got, raised rlimits, ids that are not mapped.
/// @param document checked and converted; changed in place
/// @param cgroups_path replaces one of the image's own, to which the user could not write
/// @return one sentence for each kind of change that takes something away
/// @throws Error(not_permitted) when the container's user is not mapped
std::vector<std::string> convert_for_user(base::Json& document, const Rootless& space, const std::string& cgroups_path);

/// A unit of the system made one of a user: what multi-user.target or graphical.target would start, default.target
/// does. Everything else stays byte for byte.
std::string rootless_unit(std::string_view unit);

/// Whether the command of a container is root in it.
bool runs_as_root(const base::Json& document);

/// tmpfiles.d(5) lines without the owners that only root could give: all is the user's.
/// @param group_writes the container's command is not root in it: it works as a member of the user's group, which gets
///   the rights of the owner
std::string tmpfiles_for_user(std::string_view lines, bool group_writes);

}  // namespace berth::render
