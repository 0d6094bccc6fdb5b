// Directories of the host whose places something else of the next deployment takes.
#pragma once

#include <string>
#include <vector>

#include "ops/context.hpp"
#include "ops/journal_record.hpp"

namespace berth::ops {

/// Directories of the earlier deployment at whose paths the later one has a file or link.
std::vector<std::string> directories_in_the_way(const SwitchRecord& note);

/// Whether a directory holds nothing but what the earlier deployment recorded, and so can go with it.
/// @param aside its files wait aside already
/// @throws Error(conflict) naming what somebody else put there
void check_room(const Context& context, const SwitchRecord& note, const std::string& directory, bool aside);

/// Removes a directory that waits aside, and the files that wait in it. What somebody put there meanwhile stays.
void drop_room(const Context& context, const SwitchRecord& note, const std::string& directory);

}  // namespace berth::ops
