// What containers of a user depend on beside his directories.
#pragma once

#include <string>

#include "ops/context.hpp"
#include "render/spec/rootless_config.hpp"

namespace berth::ops {

/// The user namespace of containers of the layout's user.
render::Rootless rootless(const Context& context);

/// Throws when the host lets the layout's user run no containers, and warns of what he will miss. Does nothing for
/// containers of the system.
/// @param stays for a service, which ends with the login unless the user lingers
void check_rootless(const Context& context, bool stays);

/// Moves this process into a scope of the user's systemd unless it is in one: from elsewhere, e.g. from a login, no
/// process of ours may enter the cgroup of a container. Does nothing for containers of the system.
void enter_user_cgroup(const Context& context);

/// As base::remove_tree_at, also when a container of a user left files in it that belong to one of his sub-ids.
void remove_users_tree(const Context& context, int directory, const std::string& name);

}  // namespace berth::ops
