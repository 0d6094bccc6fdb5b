// One engine for install, update and rollback: from one deployment of a container to another, all or nothing.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "ops/context.hpp"
#include "ops/journal_record.hpp"
#include "ops/plan/install_plan.hpp"
#include "ops/transaction.hpp"

namespace berth::ops {

/// What applying a switch needs beyond its note. Nothing of it is needed to take the switch back or to finish it.
struct SwitchInputs {
  const InstallPlan* plan = nullptr;  ///< texts and files of the deployment that becomes live
  std::string staging;                ///< directory below the deployments in which it was prepared, if it was
  std::string rootfs;                 ///< root file system below the deployments that host files are copied from
  std::function<void()> gate;         ///< judges the started service and throws when it is not well; may be empty
};

/// The steps of a switch, each with its undo, which works from the note alone.
/// @param note must outlive the steps
std::vector<Step> switch_steps(Context& context, const SwitchRecord& note, const SwitchInputs& work);

/// Notes durably what is about to be done, applies the steps and finishes. When a step fails or a stop is requested,
/// everything is taken back and the error thrown on. The caller holds the container's lock.
/// @param hook fault injection for tests
void run_switch(Context& context, SwitchRecord note, const SwitchInputs& work, const StepHook& hook);

/// Takes back a switch that another process left unfinished, or finishes it when it was committed.
/// In another boot nothing is started that does not run already.
void recover_switch(Context& context, SwitchRecord note);

/// Slot, unit and tmpfiles.d lines of a plan, without host files.
NotedDeployment noted_deployment(const InstallPlan& plan);

}  // namespace berth::ops
