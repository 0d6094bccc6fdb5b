// SPDX-License-Identifier: LGPL-2.1-or-later
#include "render/unit/unit.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "base/error.hpp"
#include "base/unit_quoting.hpp"
#include "base/unit_syntax.hpp"

namespace berth::render {
namespace {

using base::ParsedUnit;
using base::UnitAssignment;

/// Assignments of a [Service] setting that is a list: an empty one clears the earlier ones.
std::vector<UnitAssignment> service_assignments(const ParsedUnit& unit, std::string_view key) {
  std::vector<UnitAssignment> result;
  for (const auto& assignment : unit.assignments) {
    if (assignment.section != "Service" || assignment.key != key) {
      continue;
    }
    if (assignment.value.empty()) {
      result.clear();
    } else {
      result.push_back(assignment);
    }
  }
  return result;
}

std::vector<std::string> service_list(const ParsedUnit& unit, std::string_view key) {
  std::vector<std::string> values;
  for (auto& assignment : service_assignments(unit, key)) {
    values.push_back(std::move(assignment.value));
  }
  return values;
}

bool service_has(const ParsedUnit& unit, std::string_view key) {
  return std::any_of(unit.assignments.begin(), unit.assignments.end(),
                     [&](const auto& a) { return a.section == "Service" && a.key == key; });
}

/// @param key ExecStartPre or ExecStopPost
bool deletes_leftovers(const ParsedUnit& unit, std::string_view key) {
  const auto commands = service_list(unit, key);
  return std::any_of(commands.begin(), commands.end(), [](const std::string& command) {
    return command.find("delete --force") != std::string::npos || command.find("delete -f") != std::string::npos;
  });
}

/// @param line from 1
std::size_t line_offset(std::string_view unit, std::size_t line) {
  std::size_t begin = 0;
  for (; line > 1; --line) {
    begin = unit.find('\n', begin) + 1;
  }
  return begin;
}

/// Offset of the first character of a value; npos when the value begins on another line than its assignment.
std::size_t value_offset(std::string_view unit, std::size_t line) {
  const auto begin = line_offset(unit, line);
  const auto end = std::min(unit.find('\n', begin), unit.size());
  const auto value = unit.find_first_not_of(" \t", unit.find('=', begin) + 1);
  return value < end && unit[value] != '\\' ? value : std::string_view::npos;
}

/// Ignores the failure of a `kill` whose payload has already ended, which would turn a clean exit into a failure.
std::string with_stop_that_may_fail(std::string_view unit, const std::string& kill) {
  std::string result(unit);
  const auto assignments = base::parse_unit(unit).assignments;
  for (auto found = assignments.rbegin(); found != assignments.rend(); ++found) {  // offsets before it stay
    if (found->section == "Service" && found->key == "ExecStop" && found->value.starts_with(kill)) {
      if (const auto at = value_offset(result, found->line); at != std::string::npos) {
        result.insert(at, "-");
      }
    }
  }
  return result;
}

/// Inserts a command before those of the unit, which may create the container.
std::string with_first_command(const std::string& unit, std::string_view key, const std::string& command) {
  const auto line = fmt::format("{}={}", key, command);
  const auto commands = service_assignments(base::parse_unit(unit), key);
  if (commands.empty()) {
    return with_service_line(unit, line);
  }
  std::string result(unit);
  return result.insert(line_offset(unit, commands.front().line), line + "\n");
}

/// The directory name of a unit's cgroup. systemd puts `_` before names that are reserved by the kernel
/// (CONTROL_GROUP_INTERFACE of systemd, "escaping").
std::string escaped_cgroup(const std::string& unit) {
  constexpr std::array<std::string_view, 13> controllers = {"cpu",
                                                            "cpuacct",
                                                            "cpuset",
                                                            "io",
                                                            "blkio",
                                                            "memory",
                                                            "devices",
                                                            "pids",
                                                            "bpf-firewall",
                                                            "bpf-devices",
                                                            "bpf-foreign",
                                                            "bpf-socket-bind",
                                                            "bpf-restrict-network-interfaces"};
  const std::string_view stem = std::string_view(unit).substr(0, unit.rfind('.'));
  const bool claimed = unit.starts_with("cgroup.") || unit.starts_with('_') || unit.starts_with('.') ||
                       std::find(controllers.begin(), controllers.end(), stem) != controllers.end();
  return (claimed ? "_" : "") + unit;
}

}  // namespace

std::string complete_unit(std::string_view unit, const std::string& runtime, const std::string& name) {
  const ParsedUnit read = base::parse_unit(unit);
  if (!read.has_service) {
    throw base::Error(base::ErrorKind::verification, fmt::format("the unit of {} has no [Service] section", name),
                      "exports/service.template must be a systemd service unit, see systemd.service(5)");
  }
  const auto runtime_word = base::quote_unit_word(runtime);
  auto result = with_stop_that_may_fail(unit, fmt::format("{} kill '{}'", runtime_word, name));
  if (!service_has(read, "Delegate")) {
    result = with_service_line(result, "Delegate=yes");
  }
  const auto remove = fmt::format("-{} delete --force '{}'", runtime_word, name);
  if (!deletes_leftovers(read, "ExecStartPre")) {
    result = with_first_command(result, "ExecStartPre", remove);
  }
  if (!deletes_leftovers(read, "ExecStopPost")) {
    result = with_service_line(result, "ExecStopPost=" + remove);
  }
  return result;
}

std::string with_service_line(std::string_view unit, std::string_view line) {
  const ParsedUnit read = base::parse_unit(unit);
  std::string result(unit.substr(0, read.service_end));
  if (!result.ends_with('\n')) {
    result += '\n';
  }
  if (read.service_open_line) {  // end the continued line with an empty one
    result += '\n';
  }
  return result.append(line).append("\n").append(unit.substr(read.service_end));
}

std::string with_resolver_copies(std::string_view unit, const std::string& directory) {
  const auto resolver = base::quote_unit_word(directory + "/resolv.conf");
  const auto hosts = base::quote_unit_word(directory + "/hosts");
  return with_service_line(
      unit, fmt::format("RuntimeDirectory={}\n"
                        "ExecStartPre=-touch {} {}\n"
                        "ExecStartPre=-cp /etc/resolv.conf /etc/hosts {}",
                        directory.substr(directory.rfind('/') + 1), resolver, hosts, base::quote_unit_word(directory)));
}

bool unit_notifies(std::string_view unit) {
  const ParsedUnit read = base::parse_unit(unit);
  const auto types = service_list(read, "Type");
  const auto access = service_list(read, "NotifyAccess");
  return access.empty() ? !types.empty() && types.back().starts_with("notify") : access.back() != "none";
}

std::string unit_slice(std::string_view unit, const std::string& fallback) {
  const auto slices = service_list(base::parse_unit(unit), "Slice");
  const bool usable =
      !slices.empty() && slices.back().ends_with(".slice") && slices.back().find('/') == std::string::npos;
  return usable ? slices.back() : fallback;
}

std::string cgroups_path(std::string_view slice, const std::string& name) {
  std::string path;
  const std::string_view stem = slice.substr(0, slice.rfind('.'));
  for (std::size_t dash = 0; stem != "-" && dash != std::string_view::npos;) {
    dash = stem.find('-', dash + 1);
    path += "/" + escaped_cgroup(std::string(stem.substr(0, dash)) + ".slice");
  }
  return path + "/" + relative_cgroups_path(name);
}

std::string relative_cgroups_path(const std::string& name) {
  return escaped_cgroup(name + ".service") + "/payload";
}

}  // namespace berth::render
