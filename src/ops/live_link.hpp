// SPDX-License-Identifier: LGPL-2.1-or-later
// The link NAME, whose target is the live deployment of a container. The link that it replaces is kept as a backup
// beside it, so that it can be restored on a full disk.
#pragma once

#include <string>

#include "ops/context.hpp"

namespace berth::ops {

/// Makes the link point to the deployment `target`, durably and by one rename.
void point_link(const Context& context, const std::string& name, const std::string& target);
/// Undoes point_link, whether it was done, partly done or not done.
/// @param before the deployment that was live, for the case that its link has no backup; empty if no deployment was
///   live
void take_link_back(const Context& context, const std::string& name, const std::string& target,
                    const std::string& before);

/// Removes the link, durably, and keeps a backup.
void back_up_link(const Context& context, const std::string& name);
/// Undoes back_up_link, whether it was done or not.
void put_link_back(const Context& context, const std::string& name);

/// Removes the backup.
void drop_link_backup(const Context& context, const std::string& name);

}  // namespace berth::ops
