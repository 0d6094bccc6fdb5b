// SPDX-License-Identifier: LGPL-2.1-or-later
// Replaces the live deployment of a container, for update and rollback: compares what both have on the host.
#pragma once

#include <string>
#include <vector>

#include "host/state/deployment.hpp"
#include "ops/change/deployment_switch.hpp"
#include "ops/change/staged_deployment.hpp"
#include "ops/context.hpp"
#include "ops/journal_record.hpp"
#include "ops/plan/install_plan.hpp"
#include "ops/runtime/health_gate.hpp"

namespace berth::ops {

/// Paths of an installed container on the host, read before anything changes.
struct InstalledFootprint {
  ReusablePaths replaced;
  std::vector<std::string> edited;  ///< recorded host files that were changed since; they are kept
};
InstalledFootprint footprint_of(const Context& context, const host::Deployment& deployment);

/// The live deployment of a container that is not part of the operating system.
/// @throws Error(not_found, not_permitted)
host::Deployment changeable_deployment(const Context& context, const std::string& name);

/// The plan request of an update. Values of the live deployment are kept, new ones get the image's defaults; `set`
/// overrides both. @throws Error(not_found) when the runtime does not exist
PlanRequest request_of_update(const Context& context, const host::Deployment& before, const render::Values& set,
                              bool local, const InstalledFootprint& footprint);

/// The slot that `deployment` does not use.
int other_slot(const host::Deployment& deployment);

/// The journal record of replacing `before` by `plan`.
/// @param operation update or rollback
/// @param prepared whether the deployment is new and still in its staging directory
SwitchRecord replacement_record(Context& context, const std::string& operation, const host::Deployment& before,
                                const InstalledFootprint& footprint, const InstallPlan& plan, bool prepared);

/// Makes the deployment live and passes the started service through the health gate. When that fails, everything is
/// undone.
/// @param work without gate. @param hook fault injection for tests
/// @return false when the service was stopped by another command while it was checked
/// @throws Error(start_failed) when the service failed and the earlier deployment is live again
bool replace_deployment(Context& context, const SwitchRecord& record, SwitchInputs work, const GateOptions& gate,
                        const StepHook& hook);

}  // namespace berth::ops
