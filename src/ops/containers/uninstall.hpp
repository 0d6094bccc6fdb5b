// berth uninstall: back to a clean host.
#pragma once

#include <string>

#include "ops/change/removal.hpp"
#include "ops/context.hpp"
#include "ops/transaction.hpp"

namespace berth::ops {

/// Stops and removes a container. Before its last reversible step a failure or a stop request restores everything;
/// after it, it is completed, if need be by the next command.
/// @param hook fault injection for tests
/// @throws Error(not_found) when nothing of that name is installed
UninstallOutcome uninstall(Context& context, const std::string& name, const StepHook& hook = {});

}  // namespace berth::ops
