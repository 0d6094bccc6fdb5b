// SPDX-License-Identifier: LGPL-2.1-or-later
#include "ops/containers/service.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <string>
#include <vector>

#include "host/state/deployment.hpp"
#include "ops/change/recover.hpp"
#include "ops/footprint/installed_unit.hpp"
#include "ops/footprint/unit_slice.hpp"
#include "ops/runtime/health_gate.hpp"
#include "ops/runtime/unit_job.hpp"

namespace berth::ops {

namespace {

using base::Error;
using base::ErrorKind;

/// A stop job is done even when a socket, a timer or Upholds= starts the service again immediately.
void warn_about_restarts(Context& context, const std::string& unit) {
  const auto state = context.systemd.state(unit);
  std::vector<std::string> units;
  for (const auto& [other, its_state] : context.systemd.states(state.started_by)) {
    if (host::is_active(its_state)) {
      units.push_back(other);
    }
  }
  if (!units.empty()) {
    context.reporter.warning(fmt::format("{} was stopped, but {} start{} it again; stop that as well: {} stop {}", unit,
                                         fmt::join(units, ", "), units.size() == 1 ? "s" : "",
                                         context.layout.command("systemctl"), fmt::join(units, " ")));
  } else if (host::is_active(state)) {
    context.reporter.warning(fmt::format("{} was stopped, and something has started it again", unit));
  }
}

}  // namespace

void start(Context& context, const std::string& name) {
  recover_pending(context);
  const auto unit = unit_of(context, name);
  refuse_masked(context, name);
  if (context.systemd.state(unit).active_state == "active") {
    return;
  }
  follow_slice(context, name, host::installed_deployment(context.layout, name).path);
  if (start_or_throw(context, unit, ErrorKind::failed)) {
    check_immediate_exit(context, name, ErrorKind::failed);
  }
}

void restart(Context& context, const std::string& name) {
  recover_pending(context);
  const auto unit = unit_of(context, name);
  refuse_masked(context, name);
  follow_slice(context, name, host::installed_deployment(context.layout, name).path);
  if (start_afresh(context, unit, ErrorKind::failed)) {
    check_immediate_exit(context, name, ErrorKind::failed);
  }
}

void stop(Context& context, const std::string& name) {
  recover_pending(context);
  const auto unit = unit_of(context, name);
  if (const auto job = context.systemd.stop(unit); !job.done) {
    throw Error(ErrorKind::failed, fmt::format("{} did not stop: {}", unit, job.reason), journal_hint(context, unit));
  }
  warn_about_restarts(context, unit);
}

}  // namespace berth::ops
