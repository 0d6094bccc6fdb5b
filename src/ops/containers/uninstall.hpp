// SPDX-License-Identifier: LGPL-2.1-or-later
// berth uninstall: removes a container from the host.
#pragma once

#include <optional>
#include <string>

#include "ops/change/removal.hpp"
#include "ops/context.hpp"
#include "ops/transaction.hpp"

namespace berth::ops {

/// Stops and removes a container. A failure or a stop request before the last reversible step restores the container;
/// after it, the uninstall is completed, if necessary by the next command.
/// @param hook fault injection for tests
/// @throws Error(not_found) when no container of that name is installed
UninstallOutcome uninstall(Context& context, const std::string& name, const StepHook& hook = {});

/// As uninstall. @return nullopt when no container of that name is installed
std::optional<UninstallOutcome> uninstall_if_installed(Context& context, const std::string& name,
                                                       const StepHook& hook = {});

}  // namespace berth::ops
