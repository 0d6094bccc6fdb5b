// SPDX-License-Identifier: LGPL-2.1-or-later
#include "render/lint/lint_unit.hpp"

#include <fmt/format.h>
#include <strings.h>

#include <algorithm>
#include <array>

#include "base/unit_quoting.hpp"
#include "base/unit_syntax.hpp"
#include "render/exports/unit_privileges.hpp"
#include "render/template/template.hpp"

namespace berth::render {
namespace {

using base::ParsedUnit;
using base::UnitAssignment;

constexpr const char* unit_file = "exports/service.template";

/// The last assignment of a key of [Service]; nullptr without one.
const UnitAssignment* last_of(const ParsedUnit& unit, std::string_view key) {
  const auto found = std::find_if(unit.assignments.rbegin(), unit.assignments.rend(), [&](const UnitAssignment& one) {
    return one.section == "Service" && one.key == key;
  });
  return found == unit.assignments.rend() ? nullptr : &*found;
}

/// A boolean of systemd.syntax(7).
bool is_true(const UnitAssignment* setting) {
  constexpr std::array<const char*, 6> words = {"1", "yes", "y", "true", "t", "on"};
  return setting != nullptr && std::any_of(words.begin(), words.end(), [setting](const char* word) {
           return ::strcasecmp(setting->value.c_str(), word) == 0;
         });
}

/// The severity of a unit that does not fit $EXEC_START: such a service cannot work, unless a wrapper around the
/// runtime, which cannot be judged here, makes it fit.
base::Severity misfit(const UnitAssignment* start) {
  const std::string_view value = start == nullptr ? std::string_view() : std::string_view(start->value);
  const auto command = value.substr(std::min(value.find_first_not_of("-@:+!|"), value.size()));
  return command.starts_with("$EXEC_START") || command.starts_with("${EXEC_START}") ? base::Severity::error
                                                                                    : base::Severity::warning;
}

void check_type(const ParsedUnit& unit, bool detached, base::Findings& findings) {
  const auto* type = last_of(unit, "Type");
  const bool forking = type != nullptr && type->value == "forking";
  const auto line = type == nullptr ? 0 : type->line;
  const auto severity = misfit(last_of(unit, "ExecStart"));
  if (detached && !forking && is_true(last_of(unit, "RemainAfterExit"))) {
    findings.push_back({base::Severity::warning, "detached-type", unit_file, line,
                        "a unit with $EXEC_STOPPOST and $PIDFILE starts detached, so with RemainAfterExit= systemd "
                        "does not notice when the container ends",
                        "write Type=forking and PIDFile=$PIDFILE"});
  } else if (detached && !forking) {
    findings.push_back({severity, "detached-type", unit_file, line,
                        "a unit with $EXEC_STOPPOST and $PIDFILE starts detached, so the service would end at once",
                        "write Type=forking and PIDFile=$PIDFILE"});
  } else if (!detached && forking) {
    findings.push_back({severity, "forking-in-foreground", unit_file, line,
                        "the runtime stays in the foreground, but Type=forking waits for it to end, so the start "
                        "would time out",
                        "use $EXEC_STOPPOST and $PIDFILE, which make it start detached, or leave out Type="});
  }
  if (detached && last_of(unit, "PIDFile") == nullptr) {
    findings.push_back({base::Severity::warning, "no-pid-file", unit_file, line,
                        "systemd has to guess which process is the main one", "write PIDFile=$PIDFILE"});
  }
  if (!detached && !forking) {
    findings.push_back({base::Severity::note, "foreground-runtime", unit_file, 0,
                        "the main process of the unit is the runtime, not the service itself",
                        "berth-exports(5) shows a unit that starts detached"});
  }
}

}  // namespace

base::Findings check_unit_template(std::string_view text) {
  base::Findings findings;
  const auto unit = base::parse_unit(text);
  const auto used = variables_in(text);
  const auto uses = [&](std::string_view name) { return std::find(used.begin(), used.end(), name) != used.end(); };
  const auto* start = last_of(unit, "ExecStart");
  const auto start_line = start == nullptr ? 0 : start->line;
  if (!uses("EXEC_START")) {
    findings.push_back({base::Severity::warning, "container-not-started", unit_file, start_line,
                        "$EXEC_START is not used, so nothing starts the container", "write ExecStart=$EXEC_START"});
    return findings;
  }
  check_type(unit, unit_wants_detached(text), findings);
  if (last_of(unit, "WorkingDirectory") == nullptr) {
    findings.push_back({misfit(start), "no-working-directory", unit_file, start_line,
                        "the runtime looks for config.json in its working directory, and the unit sets none",
                        "write WorkingDirectory=$DESTDIR"});
  }
  if (std::none_of(unit.assignments.begin(), unit.assignments.end(),
                   [](const UnitAssignment& one) { return one.section == "Install"; })) {
    findings.push_back({base::Severity::note, "never-enabled", unit_file, 0,
                        "there is no [Install] section, so the service does not start at boot",
                        "write [Install] and WantedBy=multi-user.target"});
  }
  return findings;
}

std::vector<std::string> directories_of_unit(std::string_view rendered) {
  std::vector<std::string> directories;
  for (const auto& assignment : base::parse_unit(rendered).assignments) {
    const auto parent = base_of_directories(assignment.key);
    if (parent.empty() || assignment.section != "Service") {
      continue;
    }
    for (const auto& word : base::split_unit_words(assignment.value).value_or(std::vector<std::string>())) {
      directories.push_back(fmt::format("{}{}", parent, word.substr(0, word.find(':'))));
    }
  }
  return directories;
}

}  // namespace berth::render
