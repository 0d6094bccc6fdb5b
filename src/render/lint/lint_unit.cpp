// Checks of the unit and of tmpfiles.d lines.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>

#include "render/lint/lint.hpp"
#include "render/spec/privileges.hpp"
#include "render/template/template.hpp"
#include "render/unit/plain_text.hpp"
#include "render/unit/unit.hpp"
#include "render/unit/unit_syntax.hpp"

namespace berth::render {
namespace {

constexpr const char* unit_file = "exports/service.template";
constexpr const char* tmpfiles_file = "exports/tmpfiles.template";

/// The last assignment of a key of [Service]; nullptr without one.
const UnitAssignment* last_of(const UnitText& unit, std::string_view key) {
  const auto found = std::find_if(unit.assignments.rbegin(), unit.assignments.rend(), [&](const UnitAssignment& one) {
    return one.section == "Service" && one.key == key;
  });
  return found == unit.assignments.rend() ? nullptr : &*found;
}

void check_type(const UnitText& unit, bool detached, base::Findings& findings) {
  const auto* type = last_of(unit, "Type");
  const bool forking = type != nullptr && type->value == "forking";
  const auto line = type == nullptr ? 0 : type->line;
  if (detached && !forking) {
    findings.push_back({base::Severity::error, "detached-type", unit_file, line,
                        "a unit with $EXEC_STOPPOST and $PIDFILE starts detached, so the service would end at once",
                        "write Type=forking and PIDFile=$PIDFILE"});
  } else if (!detached && forking) {
    findings.push_back({base::Severity::error, "forking-in-foreground", unit_file, line,
                        "the runtime stays in the foreground, but Type=forking waits for it to end",
                        "use $EXEC_STOPPOST and $PIDFILE, which make it start detached, or leave out Type="});
  }
  if (detached && last_of(unit, "PIDFile") == nullptr) {
    findings.push_back({base::Severity::warning, "no-pid-file", unit_file, line,
                        "systemd has to guess which process is the main one", "write PIDFile=$PIDFILE"});
  }
  if (!detached && !forking) {
    findings.push_back({base::Severity::note, "foreground-runtime", unit_file, 0,
                        "the main process of the unit is the runtime, not the service itself",
                        "berth-exports(5) has a unit that starts detached"});
  }
}

base::Finding privilege_note(const Privilege& privilege, std::string_view file, std::size_t line) {
  return {base::Severity::note,
          privilege.over_host ? "privilege-over-host" : "privilege",
          std::string(file),
          line,
          privilege.message,
          privilege.over_host ? "with this it can do what root on the host can; leave out what it does not need" : ""};
}

}  // namespace

base::Findings check_unit_template(std::string_view text) {
  base::Findings findings;
  const auto unit = read_unit(text);
  const auto used = variables_in(text);
  const auto uses = [&](std::string_view name) { return std::find(used.begin(), used.end(), name) != used.end(); };
  const auto* start = last_of(unit, "ExecStart");
  if (!uses("EXEC_START")) {
    findings.push_back({base::Severity::warning, "container-not-started", unit_file, start == nullptr ? 0 : start->line,
                        "$EXEC_START is not used, so nothing starts the container", "write ExecStart=$EXEC_START"});
    return findings;
  }
  check_type(unit, unit_wants_detached(text), findings);
  if (last_of(unit, "WorkingDirectory") == nullptr) {
    findings.push_back({base::Severity::error, "no-working-directory", unit_file, start == nullptr ? 0 : start->line,
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

base::Findings unit_notes(std::string_view rendered, const Values& values) {
  base::Findings findings;
  const auto unit = read_unit(rendered);
  for (const auto& privilege : unit_privileges(rendered, values)) {
    const auto at = std::find_if(unit.assignments.begin(), unit.assignments.end(), [&](const UnitAssignment& one) {
      return privilege.message.ends_with(fmt::format("{}={}", one.key, one.value)) ||
             (one.key == "Alias" && privilege.message.ends_with(one.value));
    });
    findings.push_back(privilege_note(privilege, unit_file, at == unit.assignments.end() ? 0 : at->line));
  }
  return findings;
}

base::Findings tmpfiles_notes(std::string_view rendered) {
  base::Findings findings;
  for (std::size_t number = 1; !rendered.empty(); ++number) {
    for (const auto& privilege : tmpfiles_privileges(take_line(rendered))) {
      findings.push_back(privilege_note(privilege, tmpfiles_file, number));
    }
  }
  return findings;
}

base::Findings config_notes(const base::Json& config, std::string_view cgroups_path, std::string_view text,
                            std::string_view file) {
  /// Sentence of a privilege → member of config.json in which it is asked for.
  constexpr std::array<std::pair<std::string_view, std::string_view>, 8> places = {
      {{"capabilities", "\"capabilities\""},
       {"namespace", "\"namespaces\""},
       {"shares the host's", "\"namespaces\""},
       {"may use devices", "\"devices\""},
       {"device", "\"devices\""},
       {"hook", "\"hooks\""},
       {"sysctl", "\"sysctl\""},
       {"root file system", "\"root\""}}};
  base::Findings findings;
  for (const auto& privilege : powerful_requests(config, cgroups_path)) {
    std::size_t line = 0;
    if (const auto at = privilege.message.rfind(" at /");
        privilege.message.starts_with("binds ") && at != std::string::npos) {
      line = line_of(text, fmt::format("\"{}\"", privilege.message.substr(at + 4)));
    } else {
      const auto* const place = std::find_if(places.begin(), places.end(), [&](const auto& one) {
        return privilege.message.find(one.first) != std::string::npos;
      });
      line = place == places.end() ? 0 : line_of(text, place->second);
    }
    findings.push_back(privilege_note(privilege, file, line));
  }
  return findings;
}

std::vector<std::string> directories_of_unit(std::string_view rendered) {
  constexpr std::array<std::pair<std::string_view, std::string_view>, 5> keys = {{{"RuntimeDirectory", "/run/"},
                                                                                  {"StateDirectory", "/var/lib/"},
                                                                                  {"CacheDirectory", "/var/cache/"},
                                                                                  {"LogsDirectory", "/var/log/"},
                                                                                  {"ConfigurationDirectory", "/etc/"}}};
  std::vector<std::string> directories;
  for (const auto& assignment : read_unit(rendered).assignments) {
    const auto* const key =
        std::find_if(keys.begin(), keys.end(), [&](const auto& one) { return one.first == assignment.key; });
    if (key == keys.end() || assignment.section != "Service") {
      continue;
    }
    std::string_view rest = assignment.value;
    while (!rest.empty()) {
      const auto word = rest.substr(0, rest.find(' '));
      if (!word.empty()) {
        directories.push_back(fmt::format("{}{}", key->second, word.substr(0, word.find(':'))));
      }
      rest.remove_prefix(std::min(word.size() + 1, rest.size()));
    }
  }
  return directories;
}

}  // namespace berth::render
