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

/// systemd takes a stop for done while a socket, a timer or Upholds= brings the service back the next moment.
void tell_what_starts_again(Session& session, const std::string& unit) {
  const auto state = session.systemd.state(unit);
  std::vector<std::string> units;
  for (const auto& [other, its_state] : session.systemd.states(state.started_by)) {
    if (host::is_active(its_state)) {
      units.push_back(other);
    }
  }
  if (!units.empty()) {
    session.reporter.warning(fmt::format("{} was stopped, but {} start{} it again; stop that as well: {} stop {}", unit,
                                         fmt::join(units, ", "), units.size() == 1 ? "s" : "",
                                         session.layout.command("systemctl"), fmt::join(units, " ")));
  } else if (host::is_active(state)) {
    session.reporter.warning(fmt::format("{} was stopped, and something has started it again", unit));
  }
}

}  // namespace

void start(Session& session, const std::string& name) {
  recover_pending(session);
  const auto unit = unit_of(session, name);
  refuse_masked(session, name);
  if (session.systemd.state(unit).active_state == "active") {
    return;
  }
  follow_slice(session, name, host::installed_deployment(session.layout, name).path);
  if (start_or_throw(session, unit, ErrorKind::failed)) {
    pass_first_look(session, name, ErrorKind::failed);
  }
}

void restart(Session& session, const std::string& name) {
  recover_pending(session);
  const auto unit = unit_of(session, name);
  refuse_masked(session, name);
  follow_slice(session, name, host::installed_deployment(session.layout, name).path);
  if (start_afresh(session, unit, ErrorKind::failed)) {
    pass_first_look(session, name, ErrorKind::failed);
  }
}

void stop(Session& session, const std::string& name) {
  recover_pending(session);
  const auto unit = unit_of(session, name);
  if (const auto job = session.systemd.stop(unit); !job.done) {
    throw Error(ErrorKind::failed, fmt::format("{} did not stop: {}", unit, job.words),
                fmt::format("see {} -u {}", session.layout.command("journalctl"), unit));
  }
  tell_what_starts_again(session, unit);
}

}  // namespace berth::ops
