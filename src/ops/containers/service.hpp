// SPDX-License-Identifier: LGPL-2.1-or-later
// berth start, berth stop and berth restart: jobs of a container's unit.
#pragma once

#include <string>

#include "base/error.hpp"
#include "ops/context.hpp"

namespace berth::ops {

/// Starts the unit of an installed container and waits. @throws Error with the last journal lines as details
void start(Context& context, const std::string& name);
/// Stops the unit and waits for the job. Warns about units that start it again.
void stop(Context& context, const std::string& name);
/// Restarts the unit, or starts it when it is inactive. @throws Error as start
void restart(Context& context, const std::string& name);

}  // namespace berth::ops
