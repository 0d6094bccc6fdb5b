// berth start and berth stop.
#pragma once

#include <string>

#include "base/error.hpp"
#include "ops/session.hpp"

namespace berth::ops {

/// Starts the unit of an installed container and waits. @throws Error with the last journal lines as the hint
void start(Session& session, const std::string& name);
/// Stops it and waits.
void stop(Session& session, const std::string& name);

/// The unit's last journal lines as a hint, or where to look for them.
std::string journal_hint(Session& session, const std::string& unit);

/// The error of a start that failed: the job's result in words and the unit's last journal lines.
[[noreturn]] void throw_start_failed(Session& session, const std::string& unit, const host::JobResult& job,
                                     base::ErrorKind kind);

/// systemd takes a reload for done even when it makes no sense of a unit: asks how the unit was loaded.
/// @throws Error with systemd's own reason and the journal lines that name the setting
void refuse_unloadable(Session& session, const std::string& unit);

}  // namespace berth::ops
