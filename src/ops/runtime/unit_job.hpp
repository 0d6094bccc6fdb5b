// SPDX-License-Identifier: LGPL-2.1-or-later
// Starts and stops units as steps of a change, while other commands may start and stop them, too.
#pragma once

#include <string>
#include <vector>

#include "base/error.hpp"
#include "ops/context.hpp"

namespace berth::ops {

/// Stops a unit. @throws Error(failed) when its stop job fails
void stop_or_throw(Context& context, const std::string& unit);

/// Stops a unit repeatedly until it is down, while other units (a socket, a timer, Upholds=) start it: for a unit whose
/// file was removed, so that this ends. @throws Error(failed)
void stop_until_down(Context& context, const std::string& unit);

/// Starts a unit. @return false when another command stopped it meanwhile: it stays stopped, with a warning
/// @throws Error(kind) with the last journal lines, also when systemd refuses to start it or a condition is not met
bool start_or_throw(Context& context, const std::string& unit, base::ErrorKind kind);

/// As start_or_throw, but a service that runs already is restarted: another unit may have started it from the earlier
/// unit file.
bool start_afresh(Context& context, const std::string& unit, base::ErrorKind kind);

/// Starts a unit that ran before a change that is undone, unless it has run all the time.
/// @param invocation UnitState::invocation_id before the change; empty: unknown
/// A unit that does not start is reported as a warning.
/// @throws Error when systemd cannot be reached
void start_again(Context& context, const std::string& unit, const std::string& invocation);

/// Starts units that were stopped with `unit` (host::Systemd::stopped_with). A unit that does not start is reported as
/// a warning.
/// @throws Error when systemd cannot be reached
void bring_back(Context& context, const std::string& unit, const std::vector<std::string>& dependents);

/// Units by kind. systemd refuses to start a socket while its service runs, so that sockets are started first.
struct Dependents {
  std::vector<std::string> sockets;
  std::vector<std::string> others;
};
Dependents by_kind(const std::vector<std::string>& units);

/// Undoes a stop: starts the sockets that were stopped with the service, then the service if it ran, then the other
/// units. @throws Error when systemd cannot be reached
void undo_stop(Context& context, const std::string& unit, bool was_active, const std::string& invocation,
               const std::vector<std::string>& taken_along);

/// Deletes the container `name` when the runtime still has it although its service is down: then the unit's own
/// commands did not delete it, and its name could not be used. A failure is reported as a warning.
/// @param runtime path inside the root; empty: nothing happens
void delete_left_container(Context& context, const std::string& runtime, const std::string& name);

/// The command that shows the unit's journal.
std::string journal_hint(const Context& context, const std::string& unit);

/// The unit's last journal lines, for Error::details; empty without a journal.
std::string journal_details(Context& context, const std::string& unit);

/// Throws the error of a failed start, with the reason of the job and the unit's last journal lines.
[[noreturn]] void throw_start_failed(Context& context, const std::string& unit, const host::JobResult& job,
                                     base::ErrorKind kind);

/// Checks after a reload that systemd could load the unit: the reload itself succeeds in any case.
/// @throws Error with systemd's own reason and the journal lines that name the setting
void refuse_unloadable(Context& context, const std::string& unit, base::ErrorKind kind);

}  // namespace berth::ops
