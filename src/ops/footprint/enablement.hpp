// Whether the unit of a container is enabled, as its administrator wants it, over a change of its [Install] section;
// and the links that this change makes and removes.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "host/state/deployment.hpp"
#include "ops/context.hpp"
#include "ops/journal_record.hpp"
#include "ops/plan/install_plan.hpp"

namespace berth::ops {

/// Notes how a change to the unit of `plan` changes the links. A unit that the administrator disabled
/// stays disabled, also over a deployment that cannot be enabled; one without [Install] so far may get one. Links that
/// no [Install] section of ours asked for are left alone.
void note_links(Context& context, const host::Deployment& before, const host::UnitState& state, const InstallPlan& plan,
                SwitchRecord& note);

/// Marks in `info` of a deployment that is to follow `before` that the administrator wants the container disabled, when
/// `new_unit` cannot be enabled and so does not show it.
void carry_disablement(const Context& context, const host::Deployment& before,
                       const std::optional<std::string>& new_unit, host::DeploymentInfo& info);

/// Removes the links that enabling the unit made to others ([Install] Also=) and that were not there before.
void remove_also_links(const Context& context, const SwitchRecord& note);

/// Has the disk hold links that were made.
void make_links_durable(const Context& context, const std::vector<std::string>& links);

/// Removes those of `links` that lead to the container's unit, durably, and the directories that this leaves empty.
void remove_known_links(const Context& context, const std::string& name, const std::vector<std::string>& links);

}  // namespace berth::ops
