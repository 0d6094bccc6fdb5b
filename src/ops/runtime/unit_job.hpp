// Starting and stopping a unit as a step of a change, while others may start and stop it too.
#pragma once

#include <string>
#include <vector>

#include "base/error.hpp"
#include "ops/context.hpp"

namespace berth::ops {

/// @throws Error(failed) when the unit is still there afterwards
void stop_or_throw(Context& context, const std::string& unit);

/// Stops a unit until it is down, however often something else (a socket, a timer, Upholds=) starts it: for one whose
/// file is gone, so that nothing can start it for ever. @throws Error(failed)
void stop_for_good(Context& context, const std::string& unit);

/// Starts a unit. @return false when somebody had it stopped meanwhile, which is told and respected
/// @throws Error(kind) with the last journal lines, also when systemd refuses to start it or a condition is not met
bool start_or_throw(Context& context, const std::string& unit, base::ErrorKind kind);

/// As start_or_throw; what runs afterwards was started from the unit as systemd has read it last. Something else may
/// have started the earlier one.
bool start_afresh(Context& context, const std::string& unit, base::ErrorKind kind);

/// Starts a unit that ran before a change that is taken back. It is left alone while it still is as it was.
/// @param invocation UnitState::invocation_id before the change; empty when nobody knows
/// One that does not start is a warning: it could have happened without the change.
/// @throws Error when systemd cannot be reached
void start_again(Context& context, const std::string& unit, const std::string& invocation);

/// Starts what was stopped with a unit (host::Systemd::stopped_with). One that does not start is a warning.
/// @throws Error when systemd cannot be reached
void bring_back(Context& context, const std::string& unit, const std::vector<std::string>& dependents);

/// Sockets, which cannot be started any more when the service runs that they start, and the other units.
struct Dependents {
  std::vector<std::string> sockets;
  std::vector<std::string> others;
};
Dependents by_kind(const std::vector<std::string>& units);

/// Takes a stop back: the service starts again when it ran (start_again), between the sockets and the other units that
/// were stopped with it (bring_back). @throws Error when systemd cannot be reached
void take_stop_back(Context& context, const std::string& unit, bool was_active, const std::string& invocation,
                    const std::vector<std::string>& taken_along);

/// Deletes the container `name` when the runtime still knows it though its service is down: the unit that would have
/// deleted it is gone, or was not asked. It would keep the name from being used. A failure is a warning.
/// @param runtime path inside the root; empty: nothing happens
void delete_left_container(Context& context, const std::string& runtime, const std::string& name);

/// The unit's last journal lines as a hint, or where to look for them.
std::string journal_hint(Context& context, const std::string& unit);

/// The error of a start that failed: the job's result in words and the unit's last journal lines.
[[noreturn]] void throw_start_failed(Context& context, const std::string& unit, const host::JobResult& job,
                                     base::ErrorKind kind);

/// systemd takes a reload for done even when it makes no sense of a unit: asks how the unit was loaded.
/// @throws Error with systemd's own reason and the journal lines that name the setting
void refuse_unloadable(Context& context, const std::string& unit, base::ErrorKind kind);

}  // namespace berth::ops
