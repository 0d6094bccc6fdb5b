// SPDX-License-Identifier: LGPL-2.1-or-later
// Transient scopes: units for processes that systemd did not start (systemd.scope(5)).
#pragma once

#include <string>

#include "host/systemd/bus.hpp"

namespace berth::host {

/// The call that puts this process into a new scope in `slice`, which is delegated and unloaded when it ends.
MessagePtr scope_call(const Bus& bus, const std::string& scope, const std::string& description,
                      const std::string& slice);

/// Moves this process into a child of its cgroup, so that controllers can be enabled for other children: a cgroup with
/// processes cannot delegate controllers (cgroups(7), "no internal processes"). Does nothing without unified cgroups.
/// @return the cgroup this process was in, as in /proc/self/cgroup
std::string enter_leaf_of_own_cgroup();

}  // namespace berth::host
