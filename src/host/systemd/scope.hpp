// Transient scopes: a cgroup of systemd's for processes that systemd did not start (systemd.scope(5)).
#pragma once

#include <string>

#include "host/systemd/bus.hpp"

namespace berth::host {

/// The call that makes this process the first one of a new scope: delegated, in `slice`, forgotten when it ends.
MessagePtr scope_call(const Bus& bus, const std::string& scope, const std::string& description,
                      const std::string& slice);

/// Moves this process one level below the cgroup it is in, so that controllers can be enabled there for others: a
/// cgroup with processes in it hands out none (cgroups(7), "no internal processes"). Does nothing without unified
/// cgroups.
/// @return the cgroup this process was in, as in /proc/self/cgroup
std::string enter_leaf_of_own_cgroup();

}  // namespace berth::host
