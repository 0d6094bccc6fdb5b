// SPDX-License-Identifier: LGPL-2.1-or-later
// Directories of the host that the next deployment replaces by files or links.
#pragma once

#include <string>
#include <vector>

#include "ops/context.hpp"
#include "ops/journal_record.hpp"

namespace berth::ops {

/// @return directories of the earlier deployment at whose paths the later one has a file or link
std::vector<std::string> replaced_directories(const SwitchRecord& record);

/// Checks that a directory can be replaced: it contains only what the earlier deployment recorded.
/// @param backed_up whether its files have their backup names already
/// @throws Error(conflict) with the path that does not belong to the container
void check_replaceable(const Context& context, const SwitchRecord& record, const std::string& directory,
                       bool backed_up);

/// Removes the backup of a replaced directory with the backups in it. Files that were added meanwhile are kept, with a
/// warning.
void drop_replaced_directory(const Context& context, const SwitchRecord& record, const std::string& directory);

}  // namespace berth::ops
