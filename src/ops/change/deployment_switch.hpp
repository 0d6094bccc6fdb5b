// SPDX-License-Identifier: LGPL-2.1-or-later
// The engine of install, update and rollback: switches a container from one deployment to another, all or nothing.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "ops/context.hpp"
#include "ops/journal_record.hpp"
#include "ops/plan/install_plan.hpp"
#include "ops/transaction.hpp"

namespace berth::ops {

/// What applying a switch needs beyond its record. Undoing or finishing a switch needs the record alone.
struct SwitchInputs {
  const InstallPlan* plan = nullptr;  ///< of the deployment that becomes live
  std::string staging;                ///< its staging directory below the deployments; empty: it has its slot already
  std::string rootfs;                 ///< source of host files: root file system, below the deployments
  std::function<void()> gate;         ///< health gate: throws when the started service fails; may be empty
};

/// The steps of a switch, each with its undo. Undos use the record alone.
/// @param record must outlive the steps
std::vector<Step> switch_steps(Context& context, const SwitchRecord& record, const SwitchInputs& work);

/// Writes the record to the journal, applies the steps and finishes the switch. When a step fails or a stop is
/// requested, everything is undone and the exception rethrown. The caller holds the container's lock.
/// @param hook fault injection for tests
void run_switch(Context& context, SwitchRecord record, const SwitchInputs& work, const StepHook& hook);

/// Undoes a switch that another process left unfinished, or finishes it when it was committed. After a reboot it starts
/// only services that run.
void recover_switch(Context& context, SwitchRecord record);

/// Slot, unit, tmpfiles.d lines and package of a plan, without host files.
RecordedDeployment recorded_deployment(const InstallPlan& plan);

}  // namespace berth::ops
