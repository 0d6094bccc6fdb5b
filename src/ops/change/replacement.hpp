// From the live deployment of a container to another one: what both have on the host, and what changes.
#pragma once

#include <cstdint>
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

/// What an installed container has on the host, looked at before anything changes.
struct InstalledFootprint {
  ReusablePaths replaced;
  std::vector<std::string> edited;  ///< recorded host files that somebody changed since; they stay
};
InstalledFootprint footprint_of(const Context& context, const host::Deployment& deployment);

/// The live deployment of a container that is not part of the operating system.
/// @throws Error(not_found, not_permitted)
host::Deployment changeable_deployment(const Context& context, const std::string& name);

/// What the plan of an update depends on: the kept values, the image's defaults for those that are new, and `set` over
/// them. @throws Error(not_found) when the runtime is gone
PlanRequest request_of_update(const Context& context, const host::Deployment& before, const render::Values& set,
                              bool local, const InstalledFootprint& footprint);

/// The slot that `deployment` does not use.
int other_slot(const host::Deployment& deployment);

/// What making `plan` live in place of `before` will do.
/// @param operation update or rollback
/// @param prepared whether the deployment is new and its directory not yet in its slot
SwitchRecord note_of_replacement(Context& context, const std::string& operation, const host::Deployment& before,
                                 const InstalledFootprint& footprint, const InstallPlan& plan, bool prepared);

/// Makes the deployment live, judges the started service, and takes everything back when it is not well.
/// @param work without gate. @param hook fault injection for tests
/// @return false when somebody else had the service stopped while it was judged
/// @throws Error(start_failed) when the service was not well and the earlier deployment is back
bool replace_deployment(Context& context, const SwitchRecord& note, SwitchInputs work, const GateOptions& gate,
                        const StepHook& hook);

}  // namespace berth::ops
