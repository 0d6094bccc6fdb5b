// Units among the host files of a container (sockets, timers, services): they are stopped when their file goes, and
// started again when another file takes its place.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "ops/context.hpp"
#include "ops/journal_record.hpp"

namespace berth::ops {

/// Those units among `paths` (host files, inside the root) that run or are enabled.
/// @param stays whether another file will be at a path
std::vector<NotedUnit> companion_units(const Context& context, const std::vector<std::string>& paths,
                                       const std::function<bool(const std::string& path)>& stays);

/// Names of those that run.
std::vector<std::string> active_names(const std::vector<NotedUnit>& units);

/// Stops those that run. @throws Error(failed)
void stop_companions(Context& context, const std::vector<NotedUnit>& units);
/// Takes stop_companions back, once the files are where they were.
void restore_companions(Context& context, const std::vector<NotedUnit>& units);

/// Starts those whose file is another one now. One that does not start is a warning.
void start_companions(Context& context, const std::string& unit, const std::vector<NotedUnit>& units);
/// Takes start_companions back. @throws Error(failed) when one cannot be stopped
void stop_started_companions(Context& context, const std::vector<NotedUnit>& units);

/// Disables those whose file has gone for good. Not before the change is finished: to take it back would need room.
void drop_companion_links(const Context& context, const std::vector<NotedUnit>& units);

}  // namespace berth::ops
