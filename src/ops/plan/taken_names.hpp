// SPDX-License-Identifier: LGPL-2.1-or-later
// Names that the host uses already: a unit of the same name would hide an existing one, or get its drop-ins and
// dependencies.
#pragma once

#include <string>

#include "ops/context.hpp"

namespace berth::ops {

/// Refuses a container name for which the host has a unit, tmpfiles.d lines or sysusers.d lines in any of the
/// directories that systemd reads (systemd.unit(5), tmpfiles.d(5)), or drop-ins, dependencies, or a socket, timer or
/// path unit. Those of a preinstalled container are accepted: the new container hides it.
/// @throws Error(conflict) naming the file
void refuse_taken_name(const Context& context, const std::string& name);

/// Refuses a unit whose aliases ([Install] Alias=) are names of existing units.
/// @param unit text of NAME.service @throws Error(conflict) naming the unit
void refuse_taken_aliases(const Context& context, const std::string& name, const std::string& unit);

}  // namespace berth::ops
