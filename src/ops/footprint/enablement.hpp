// SPDX-License-Identifier: LGPL-2.1-or-later
// Keeps the unit of a container enabled or disabled, as the administrator left it, while its [Install] section changes,
// and determines the links that the change creates and removes.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "host/state/deployment.hpp"
#include "ops/context.hpp"
#include "ops/journal_record.hpp"
#include "ops/plan/install_plan.hpp"

namespace berth::ops {

/// Records in `record` how a change to the unit of `plan` changes the links. A unit that the administrator disabled
/// stays disabled, also across a deployment whose unit cannot be enabled. A unit that gains an [Install] section is
/// enabled. Links that no [Install] section of the container asked for are left alone.
/// @param before the live deployment
/// @param state the unit as systemd reports it before the change
void record_links(Context& context, const host::Deployment& before, const host::UnitState& state,
                  const InstallPlan& plan, SwitchRecord& record);

/// Marks in `info` that the administrator disabled the container, when `new_unit` has no [Install] section and so does
/// not show it.
/// @param before the live deployment
/// @param info of the deployment that replaces it
void carry_disablement(const Context& context, const host::Deployment& before,
                       const std::optional<std::string>& new_unit, host::DeploymentInfo& info);

/// Removes the links to other units that enabling the unit created ([Install] Also=).
void remove_also_links(const Context& context, const SwitchRecord& record);

/// Syncs the directories of new links to disk. @param links absolute inside the root
void make_links_durable(const Context& context, const std::vector<std::string>& links);

/// Removes, durably, those of `links` that lead to the container's unit, and the directories that become empty.
/// @param name of the container
void remove_known_links(const Context& context, const std::string& name, const std::vector<std::string>& links);

}  // namespace berth::ops
