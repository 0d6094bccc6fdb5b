// berth start, berth stop and berth restart.
#pragma once

#include <string>

#include "base/error.hpp"
#include "ops/context.hpp"

namespace berth::ops {

/// Starts the unit of an installed container and waits. @throws Error with the last journal lines as the hint
void start(Context& context, const std::string& name);
/// Stops it and waits. Units that start it again by themselves are named in a warning.
void stop(Context& context, const std::string& name);
/// Stops it and starts it again, or starts it when it does not run. @throws Error as start does
void restart(Context& context, const std::string& name);

}  // namespace berth::ops
