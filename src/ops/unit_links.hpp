// The links that enable the unit of a container, over a change of its [Install] section.
#pragma once

#include <optional>
#include <string>

#include "host/deployment.hpp"
#include "ops/deployment_note.hpp"
#include "ops/session.hpp"

namespace berth::ops {

/// Notes how a change to `new_unit` (its text; nullopt: none) changes the links. A unit that the administrator disabled
/// stays disabled, also over a deployment that cannot be enabled; one without [Install] so far may get one. Links that
/// no [Install] section of ours asked for are left alone.
void note_links(Session& session, const host::Deployment& before, const host::UnitState& state,
                const std::optional<std::string>& new_unit, SwitchNote& note);

/// Marks in `info` of a deployment that is to follow `before` that the administrator wants the container disabled, when
/// `new_unit` cannot be enabled and so does not show it.
void carry_disablement(const Session& session, const host::Deployment& before,
                       const std::optional<std::string>& new_unit, host::DeploymentInfo& info);

}  // namespace berth::ops
