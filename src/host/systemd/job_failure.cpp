// SPDX-License-Identifier: LGPL-2.1-or-later
#include "host/systemd/job_failure.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <cstring>
#include <optional>
#include <string_view>
#include <utility>

namespace berth::host {

namespace {

using Entry = std::pair<std::string_view, std::string_view>;

/// Job results other than done, failed and timeout (org.freedesktop.systemd1(5)).
constexpr std::array job_results = {
    Entry{"canceled", "its job was cancelled by another request"},
    Entry{"dependency", "a dependency failed"},
    Entry{"skipped", "it is in a state in which that cannot be done"},
    Entry{"invalid", "it is of a kind for which that cannot be done"},
    Entry{"assert", "an assertion in its unit file is not met"},
    Entry{"unsupported", "this system does not support units of its kind"},
    Entry{"collected", "it was unloaded meanwhile"},
    Entry{"once", "it may run only once"},
};

/// Results of a service other than those that depend on the unit (Result= in org.freedesktop.systemd1(5)).
constexpr std::array service_results = {
    Entry{"watchdog", "missed its watchdog deadline"},
    Entry{
        "start-limit-hit",
        "hit the start limit: it was started too often in a short time (`systemctl reset-failed` clears the counter)"},
    Entry{"oom-kill", "ran out of memory and was killed"},
    Entry{"exec-condition", "its ExecCondition= was not met"},
    Entry{"resources", "could not be set up: a file, directory or other resource it needs is missing"},
};

struct ExitName {
  std::int32_t status;
  std::string_view description;
};

/// Statuses that systemd itself exits with before the program runs (systemd.exec(5)).
constexpr std::array exit_names = {
    ExitName{200, "CHDIR: its working directory could not be entered"},
    ExitName{203, "EXEC: the program could not be run"},
    ExitName{205, "LIMITS: its resource limits could not be set"},
    ExitName{208, "STDIN: its standard input could not be set up"},
    ExitName{209, "STDOUT: its standard output could not be set up"},
    ExitName{216, "GROUP: its group does not exist"},
    ExitName{217, "USER: its user does not exist"},
    ExitName{218, "CAPABILITIES: its capabilities could not be set"},
    ExitName{219, "CGROUP: its cgroup could not be set up"},
    ExitName{226, "NAMESPACE: its file system name space could not be set up"},
    ExitName{228, "SECCOMP: its system call filter could not be set"},
    ExitName{233, "RUNTIME_DIRECTORY: its runtime directory could not be made"},
    ExitName{238, "STATE_DIRECTORY: its state directory could not be made"},
};

template <typename Table>
std::optional<std::string> look_up(const Table& table, std::string_view word) {
  const auto found = std::find_if(table.begin(), table.end(), [&](const Entry& entry) { return entry.first == word; });
  return found == table.end() ? std::nullopt : std::optional(std::string(found->second));
}

std::string signal_name(std::int32_t number) {
  const char* name = ::sigabbrev_np(number);
  return name == nullptr ? "" : fmt::format(" (SIG{})", name);
}

std::string seconds(std::chrono::microseconds time) {
  if (time.count() == 0) {
    return "";
  }
  return fmt::format(" ({:g} s)", std::chrono::duration<double>(time).count());
}

bool has_failed(const UnitCommand& command) {
  const bool ended = command.code == CLD_EXITED || command.code == CLD_KILLED || command.code == CLD_DUMPED;
  return ended && !command.ignore_failure && (command.code != CLD_EXITED || command.status != 0);
}

/// With Type=forking the first failed command, not the main process, ends a start.
std::string process_failure(JobKind kind, const UnitProperties& unit) {
  const auto command = std::find_if(unit.commands.begin(), unit.commands.end(), has_failed);
  if (kind == JobKind::start && command != unit.commands.end()) {
    return fmt::format("{} ({}=) {}", command->path, command->setting, describe_exit(command->code, command->status));
  }
  if (unit.state.exec_main_code != 0) {
    return describe_exit(unit.state.exec_main_code, unit.state.exec_main_status);
  }
  return "one of its commands failed";
}

std::string timeout_failure(JobKind kind, const UnitProperties& unit) {
  if (kind == JobKind::start) {
    return fmt::format("did not start within its TimeoutStartSec{}", seconds(unit.start_timeout));
  }
  return fmt::format("did not stop within its TimeoutStopSec{} and was killed", seconds(unit.stop_timeout));
}

std::string unit_failure(JobKind kind, const UnitProperties& unit) {
  const std::string& result = unit.state.result;
  if (!unit.state.load_error.empty()) {
    return "could not be loaded: " + unit.state.load_error;
  }
  if (result == "exit-code" || result == "signal" || result == "core-dump") {
    return process_failure(kind, unit);
  }
  if (result == "timeout") {
    return timeout_failure(kind, unit);
  }
  if (result == "protocol") {
    return unit.state.type == "forking"
               ? "it ended at once, before systemd could see its status (the process named by its PIDFile= is gone)"
               : fmt::format("did not start as its Type={} promises", unit.state.type);
  }
  if (auto reason = look_up(service_results, result)) {
    return *reason;
  }
  return "systemd gives no reason";
}

}  // namespace

std::string describe_exit(std::int32_t code, std::int32_t status) {
  if (code == CLD_KILLED || code == CLD_DUMPED) {
    return fmt::format("was killed by signal {}{}{}", status, signal_name(status),
                       code == CLD_DUMPED ? " and dumped core" : "");
  }
  const auto* known =
      std::find_if(exit_names.begin(), exit_names.end(), [&](const ExitName& name) { return name.status == status; });
  return known == exit_names.end() ? fmt::format("exited with status {}", status)
                                   : fmt::format("exited with status {} ({})", status, known->description);
}

std::string describe_job_failure(JobKind kind, const std::string& result, const UnitProperties& unit) {
  if (result == "done") {
    return kind == JobKind::start ? "started" : "stopped";
  }
  if (result == "timeout") {
    return "did not finish within its JobTimeoutSec";
  }
  if (auto reason = look_up(job_results, result)) {
    return *reason;
  }
  return unit_failure(kind, unit);
}

}  // namespace berth::host
