// SPDX-License-Identifier: LGPL-2.1-or-later
// The health gate: checks a service that was started (berth-update(8)).
#pragma once

#include <chrono>
#include <optional>
#include <string>

#include "base/error.hpp"
#include "base/json_fwd.hpp"
#include "ops/context.hpp"

namespace berth::ops {

/// Options of the health gate.
struct GateOptions {
  bool enabled = true;                              ///< false: --no-gate
  std::optional<std::chrono::milliseconds> settle;  ///< --settle; nullopt: [update] settle of berth.conf
};

/// Checks a service whose start job has succeeded: it must stay up without a restart for the settle time, and then its
/// health check, if it has one, must pass (berth-update(8)).
/// @param runtime OCI runtime that the health check is run with; a path inside the root
/// @param health_check as in host::DeploymentInfo; null: the container has none
/// @return false when another command stopped the service meanwhile: it stays stopped, with a warning, and does not
/// fail
/// @throws Error(start_failed) with the reason, the check's last output and the last journal lines; Interrupted
bool pass_health_gate(Context& context, const std::string& name, const std::string& runtime,
                      const base::Json& health_check, const GateOptions& options);

/// Checks for a moment a service whose start job has succeeded: one that exits at once has failed to start. A
/// successful exit is reported as a warning instead, except for Type=forking: systemd does not reliably see the exit
/// status of such a service, so that every exit counts as a failure.
/// @throws Error(kind) as pass_health_gate
void check_immediate_exit(Context& context, const std::string& name, base::ErrorKind kind);

}  // namespace berth::ops
