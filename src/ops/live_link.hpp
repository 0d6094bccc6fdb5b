// The link NAME that says which deployment of a container is live. The one that it replaces waits beside it, so that it
// can be put back on a full disk.
#pragma once

#include <string>

#include "ops/context.hpp"

namespace berth::ops {

/// Makes the link point to the deployment `target`, durably and by one rename.
void point_link(const Context& context, const std::string& name, const std::string& target);
/// Takes point_link back, whether all, half or nothing of it was done.
/// @param before the deployment that was live, in case that its link does not wait; empty for none
void take_link_back(const Context& context, const std::string& name, const std::string& target,
                    const std::string& before);

/// Removes the link, durably; it waits beside.
void back_up_link(const Context& context, const std::string& name);
/// Takes back_up_link back, whether it was done or not.
void put_link_back(const Context& context, const std::string& name);

/// Removes what waits.
void drop_link_backup(const Context& context, const std::string& name);

}  // namespace berth::ops
