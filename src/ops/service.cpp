#include "ops/service.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <string>
#include <vector>

#include "host/deployment.hpp"
#include "ops/health_gate.hpp"
#include "ops/installed_unit.hpp"
#include "ops/missing_binds.hpp"
#include "ops/recover.hpp"
#include "ops/unit_job.hpp"
#include "ops/unit_slice.hpp"

namespace berth::ops {

namespace {

using base::Error;
using base::ErrorKind;

constexpr std::size_t journal_lines = 10;

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

std::string unit_of(Session& session, const std::string& name) {
  host::check_container_name(name);
  if (!host::installed_deployment(session.layout, name).info.has_container_service) {
    throw Error(ErrorKind::usage, fmt::format("{} has no service: its image only brings files for the host", name));
  }
  return host::unit_name(name);
}

std::string journal_hint(Session& session, const std::string& unit) {
  std::string hint;
  for (const auto& line : session.systemd.journal_tail(unit, journal_lines)) {
    hint += (hint.empty() ? "its last journal lines are:\n  " : "\n  ") + line;
  }
  return hint.empty() ? fmt::format("see {} -u {}", session.layout.command("journalctl"), unit) : hint;
}

void refuse_unloadable(Session& session, const std::string& unit, ErrorKind kind) {
  const auto state = session.systemd.state(unit);
  if (state.load_state == "bad-setting" || state.load_state == "error") {
    throw Error(kind, fmt::format("systemd cannot load {} ({}): {}", unit, state.load_state, state.load_error),
                journal_hint(session, unit));
  }
}

void throw_start_failed(Session& session, const std::string& unit, const host::JobResult& job, ErrorKind kind) {
  const bool skipped = job.result == "skipped";  // systemd has not even tried
  const auto missing = skipped ? std::string() : missing_binds(session, unit.substr(0, unit.rfind('.')));
  throw Error(kind, fmt::format("{} did not start: {}{}", unit, job.words, missing), journal_hint(session, unit));
}

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
