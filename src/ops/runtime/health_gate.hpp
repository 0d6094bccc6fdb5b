// Whether a service that was started is well.
#pragma once

#include <chrono>
#include <optional>
#include <string>

#include "base/error.hpp"
#include "base/json.hpp"
#include "ops/context.hpp"

namespace berth::ops {

/// How a started service is judged.
struct GateOptions {
  bool enabled = true;                              ///< false: --no-gate
  std::optional<std::chrono::milliseconds> settle;  ///< --settle; nullopt: [update] settle of berth.conf
};

/// Judges a service whose start job has succeeded: it must stay up without a restart for the settle time, and then its
/// health check, if it has one, must pass (berth-update(8)).
/// @param runtime OCI runtime that the health check is run with; a path inside the root
/// @param health_check as host::DeploymentInfo holds it; null for none
/// @return false when somebody else had the service stopped meanwhile: that is told and respected, and nothing is
/// judged
/// @throws Error(start_failed) with the reason, the check's last output and the last journal lines; Error(interrupted)
bool pass_health_gate(Context& context, const std::string& name, const std::string& runtime,
                      const base::Json& health_check, const GateOptions& options);

/// A look of a moment at a service whose start job has succeeded: one that fails at once has not started, whatever its
/// job says. One that has ended well is told of; but not one of Type=forking: whether systemd sees its status or calls
/// that start a failure is up to chance, so each that ends at once has failed.
/// @throws Error(kind) as pass_health_gate
void pass_first_look(Context& context, const std::string& name, base::ErrorKind kind);

}  // namespace berth::ops
