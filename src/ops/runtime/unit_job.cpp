// SPDX-License-Identifier: LGPL-2.1-or-later
#include "ops/runtime/unit_job.hpp"

#include <fcntl.h>
#include <fmt/format.h>

#include "base/file.hpp"
#include "base/process.hpp"
#include "host/layout.hpp"
#include "ops/runtime/missing_binds.hpp"
#include "ops/runtime/runtime_command.hpp"

namespace berth::ops {

namespace {

using base::Error;
using base::ErrorKind;
using host::JobResult;
using host::UnitState;

constexpr std::size_t journal_lines = 10;
constexpr int attempts = 10;  // while others start or stop the same unit

using Start = JobResult (host::Systemd::*)(const std::string& unit);

bool is_down(const UnitState& state) {
  return state.active_state == "inactive" || state.active_state == "failed";
}

/// Queues a start job. In a change, a refusal of systemd counts as a failed start. The start limit is reset there:
/// starts of an earlier deployment must not count against the new one.
JobResult queue_start(Context& context, const std::string& unit, ErrorKind kind, Start start) {
  try {
    if (kind == ErrorKind::start_failed) {
      context.systemd.reset_failed(unit);
    }
    return (context.systemd.*start)(unit);
  } catch (const Error& error) {
    if (kind == ErrorKind::failed || error.kind() == kind) {
      throw;
    }
    throw Error(kind, error.what(), error.hint(), error.details());
  }
}

void check_conditions(Context& context, const std::string& unit, const UnitState& state, ErrorKind kind) {
  if (is_down(state) && !state.unmet.empty()) {
    throw_start_failed(context, unit, {false, "skipped", fmt::format("{} is not met", state.unmet)}, kind);
  }
}

void warn_stopped(Context& context, const std::string& unit) {
  context.reporter.warning(fmt::format("{} was stopped by another command while it started, and stays stopped", unit));
}

bool start_unit(Context& context, const std::string& unit, ErrorKind kind, Start start, bool afresh) {
  const auto before = context.systemd.state(unit).invocation_id;
  for (int attempt = 0; attempt < attempts; ++attempt) {
    const auto job = queue_start(context, unit, kind, start);
    const auto now = context.systemd.state(unit);
    const bool fresh = !afresh || before.empty() || now.invocation_id != before;
    if (job.result == "canceled" && (is_down(now) || now.active_state == "deactivating")) {
      warn_stopped(context, unit);
      return false;
    }
    if (!job.done && job.result != "canceled") {
      throw_start_failed(context, unit, job, kind);
    }
    check_conditions(context, unit, now, kind);
    if (fresh) {
      return true;
    }
  }
  throw Error(kind, fmt::format("{} cannot be restarted: its jobs are replaced by others again and again", unit),
              fmt::format("`{} list-jobs` shows what else starts it", context.layout.command("systemctl")));
}

}  // namespace

std::string journal_hint(const Context& context, const std::string& unit) {
  return fmt::format("see {} -u {}", context.layout.command("journalctl"), unit);
}

std::string journal_details(Context& context, const std::string& unit) {
  std::string details;
  for (const auto& line : context.systemd.journal_tail(unit, journal_lines)) {
    details += (details.empty() ? "last lines of its journal:\n  " : "\n  ") + line;
  }
  return details;
}

void refuse_unloadable(Context& context, const std::string& unit, ErrorKind kind) {
  const auto state = context.systemd.state(unit);
  if (state.load_state == "bad-setting" || state.load_state == "error") {
    throw Error(kind, fmt::format("systemd cannot load {} ({}): {}", unit, state.load_state, state.load_error),
                journal_hint(context, unit), journal_details(context, unit));
  }
}

void throw_start_failed(Context& context, const std::string& unit, const host::JobResult& job, ErrorKind kind) {
  const bool skipped = job.result == "skipped";  // systemd did not try to start it
  const auto missing = skipped ? std::string() : missing_binds(context, unit.substr(0, unit.rfind('.')));
  throw Error(kind, fmt::format("{} did not start: {}{}", unit, job.reason, missing), journal_hint(context, unit),
              journal_details(context, unit));
}

void stop_or_throw(Context& context, const std::string& unit) {
  if (const auto job = context.systemd.stop(unit); !job.done) {
    throw Error(ErrorKind::failed, fmt::format("{} could not be stopped: {}", unit, job.reason),
                fmt::format("stop it with {} stop {} and try again", context.layout.command("systemctl"), unit));
  }
}

void stop_until_down(Context& context, const std::string& unit) {
  for (int attempt = 0; attempt < attempts; ++attempt) {
    if (is_down(context.systemd.state(unit))) {
      return;
    }
    stop_or_throw(context, unit);
  }
  if (!is_down(context.systemd.state(unit))) {
    throw Error(
        ErrorKind::failed, fmt::format("{} was stopped and is started again and again", unit),
        fmt::format("`{} list-jobs` shows what starts it; stop that first", context.layout.command("systemctl")));
  }
}

bool start_or_throw(Context& context, const std::string& unit, ErrorKind kind) {
  return start_unit(context, unit, kind, &host::Systemd::start, false);
}

bool start_afresh(Context& context, const std::string& unit, ErrorKind kind) {
  return start_unit(context, unit, kind, &host::Systemd::restart, true);
}

void start_again(Context& context, const std::string& unit, const std::string& invocation) {
  const auto now = context.systemd.state(unit);
  const bool active = host::is_active(now);
  if (active && !invocation.empty() && now.invocation_id == invocation) {
    return;
  }
  const auto warn = [&](const std::string& reason) {
    context.reporter.warning(fmt::format("{} did not start again: {}", unit, reason));
  };
  try {
    context.systemd.reset_failed(unit);  // the change may have used up the start limit
    // An active service may run from the deployment that is undone.
    const auto job = active ? context.systemd.restart(unit) : context.systemd.start(unit);
    if (!job.done && !(job.result == "canceled" && host::is_active(context.systemd.state(unit)))) {
      warn(job.reason);
    }
  } catch (const base::Interrupted&) {
    warn("interrupted while waiting for it; its job continues");  // an undo still restores the other units
  } catch (const Error& error) {
    context.systemd.state(unit);  // throws when systemd cannot be reached; else it has refused the start
    warn(error.what());
  }
}

void bring_back(Context& context, const std::string& unit, const std::vector<std::string>& dependents) {
  for (const auto& dependent : dependents) {
    const auto warn = [&](const std::string& why) {
      context.reporter.warning(
          fmt::format("{}, which was stopped with {}, did not start again: {}; start it with: {} "
                      "start {}",
                      dependent, unit, why, context.layout.command("systemctl"), dependent));
    };
    try {
      context.systemd.reset_failed(dependent);  // however often it was stopped with the other one
      if (const auto job = context.systemd.start_again(dependent); !job.done) {
        warn(job.reason);
      }
    } catch (const Error& error) {
      context.systemd.state(dependent);  // as in start_again
      warn(error.what());
    }
  }
}

Dependents by_kind(const std::vector<std::string>& units) {
  Dependents result;
  for (const auto& unit : units) {
    (unit.ends_with(".socket") ? result.sockets : result.others).push_back(unit);
  }
  return result;
}

void undo_stop(Context& context, const std::string& unit, bool was_active, const std::string& invocation,
               const std::vector<std::string>& taken_along) {
  const auto dependents = by_kind(taken_along);
  bring_back(context, unit, dependents.sockets);
  if (was_active) {
    start_again(context, unit, invocation);
  }
  bring_back(context, unit, dependents.others);
}

void delete_left_container(Context& context, const std::string& runtime, const std::string& name) {
  const auto program = context.layout.on_disk(runtime);
  if (context.layout.offline() || runtime.empty() || !base::stat_at(AT_FDCWD, program) ||
      !is_down(context.systemd.state(host::unit_name(name)))) {
    return;
  }
  try {
    if (!runtime_status(program, name).empty()) {
      base::run_checked({program, "delete", "--force", name});
    }
  } catch (const Error& error) {
    context.reporter.warning(fmt::format("the runtime could not delete the container {}: {}", name, error.what()));
  }
}

}  // namespace berth::ops
