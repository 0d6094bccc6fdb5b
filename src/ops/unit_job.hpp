// Starting and stopping a unit as a step of a change.
#pragma once

#include <string>

#include "ops/session.hpp"

namespace berth::ops {

/// @throws Error(failed) when the unit is still there afterwards
void stop_or_throw(Session& session, const std::string& unit);

/// @throws Error(start_failed) with the last journal lines, also when systemd refuses to start it
void start_or_throw(Session& session, const std::string& unit);

/// Starts a unit that ran before a change that is taken back. One that does not start is a warning: it could have
/// happened without the change. @throws Error when systemd cannot be reached
void start_again(Session& session, const std::string& unit);

}  // namespace berth::ops
