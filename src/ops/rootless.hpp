// SPDX-License-Identifier: LGPL-2.1-or-later
// What rootless containers need besides the directories of their user.
#pragma once

#include <string>

#include "ops/context.hpp"
#include "render/spec/rootless_config.hpp"

namespace berth::ops {

/// The user namespace of containers of the layout's user.
render::Rootless rootless(const Context& context);

/// Checks that the host lets the user of the layout run containers, and warns of missing sub-ids and lingering. Does
/// nothing for system containers.
/// @param stays for a service, which stops when the user logs out unless the user lingers @throws Error
void check_rootless(const Context& context, bool stays);

/// Moves this process into a scope of the user's systemd unless it is in one: a process in another cgroup, e.g. that of
/// a login session, may not enter the cgroup of a container. Does nothing for system containers.
void enter_user_cgroup(const Context& context);

/// As base::remove_tree_at, also for files of a rootless container that belong to sub-ids of its user.
void remove_users_tree(const Context& context, int directory, const std::string& name);

}  // namespace berth::ops
