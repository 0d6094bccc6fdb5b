// SPDX-License-Identifier: LGPL-2.1-or-later
// Units among the host files of a container (sockets, timers, services). They are stopped when their file is removed,
// and started again when another file replaces it.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "ops/context.hpp"
#include "ops/journal_record.hpp"

namespace berth::ops {

/// Finds the units among host files that are active or enabled.
/// @param paths host files, absolute inside the root
/// @param stays whether another file will be at a path after the change
std::vector<RecordedUnit> companion_units(const Context& context, const std::vector<std::string>& paths,
                                          const std::function<bool(const std::string& path)>& stays);

/// @return names of the active units
std::vector<std::string> active_names(const std::vector<RecordedUnit>& units);

/// Stops the active units. @throws Error(failed)
void stop_companions(Context& context, const std::vector<RecordedUnit>& units);
/// Reverts stop_companions, after the files have been put back.
void restore_companions(Context& context, const std::vector<RecordedUnit>& units);

/// Starts the units whose file was replaced. A unit that does not start is reported as a warning.
/// @param unit the unit of the container
void start_companions(Context& context, const std::string& unit, const std::vector<RecordedUnit>& units);
/// Reverts start_companions. @throws Error(failed) when a unit cannot be stopped
void stop_started_companions(Context& context, const std::vector<RecordedUnit>& units);

/// Disables the units whose file is removed for good. Call it after the change is finished: to revert it, links would
/// have to be created, which may fail on a full disk.
void drop_companion_links(const Context& context, const std::vector<RecordedUnit>& units);

}  // namespace berth::ops
