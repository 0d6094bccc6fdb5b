// Names that somebody on the host has already: a file of ours under one of them would hide theirs, or be bound by it.
#pragma once

#include <string>

#include "ops/context.hpp"

namespace berth::ops {

/// Refuses a container name whose unit, tmpfiles.d lines or sysusers.d lines the host has under that name in any of the
/// directories where systemd looks (systemd.unit(5), tmpfiles.d(5)), or for which the system has something: drop-ins,
/// dependencies, a socket, timer or path unit that starts it. Those of a container that is part of the operating system
/// are meant to be hidden.
/// @throws Error(conflict) naming the file
void refuse_taken_name(const Context& context, const std::string& name);

/// Refuses a unit that takes names of other units ([Install] Alias=) which the host has.
/// @param unit text of NAME.service @throws Error(conflict) naming the unit
void refuse_taken_aliases(const Context& context, const std::string& name, const std::string& unit);

}  // namespace berth::ops
