// berth start, berth stop and berth restart.
#pragma once

#include <string>

#include "base/error.hpp"
#include "ops/session.hpp"

namespace berth::ops {

/// Starts the unit of an installed container and waits. @throws Error with the last journal lines as the hint
void start(Session& session, const std::string& name);
/// Stops it and waits. Units that start it again by themselves are named in a warning.
void stop(Session& session, const std::string& name);
/// Stops it and starts it again, or starts it when it does not run. @throws Error as start does
void restart(Session& session, const std::string& name);

/// The unit of an installed container. @throws Error(not_found), Error(usage) for one without a service
std::string unit_of(Session& session, const std::string& name);

/// The unit's last journal lines as a hint, or where to look for them.
std::string journal_hint(Session& session, const std::string& unit);

/// The error of a start that failed: the job's result in words and the unit's last journal lines.
[[noreturn]] void throw_start_failed(Session& session, const std::string& unit, const host::JobResult& job,
                                     base::ErrorKind kind);

/// systemd takes a reload for done even when it makes no sense of a unit: asks how the unit was loaded.
/// @throws Error with systemd's own reason and the journal lines that name the setting
void refuse_unloadable(Session& session, const std::string& unit, base::ErrorKind kind);

}  // namespace berth::ops
