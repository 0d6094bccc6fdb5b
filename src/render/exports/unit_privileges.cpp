// SPDX-License-Identifier: LGPL-2.1-or-later
#include "render/exports/unit_privileges.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include "base/error.hpp"
#include "base/unit_quoting.hpp"
#include "base/unit_syntax.hpp"
#include "render/spec/sensitive_paths.hpp"

namespace berth::render {
namespace {

constexpr std::array<std::string_view, 4> runtime_calls = {"EXEC_START", "EXEC_STOP", "EXEC_STARTPRE", "EXEC_STOPPOST"};
constexpr std::size_t shown_bytes = 160;  ///< of a line of the image

/// Variables that make ld.so(8) and the C library load code or read files.
constexpr std::array<std::string_view, 3> loader_variables = {"LD_", "GCONV_PATH", "GLIBC_TUNABLES"};

template <std::size_t size>
bool is_one_of(std::string_view text, const std::array<std::string_view, size>& list) {
  return std::find(list.begin(), list.end(), text) != list.end();
}

template <std::size_t size>
bool begins_with_one_of(std::string_view text, const std::array<std::string_view, size>& list) {
  return std::any_of(list.begin(), list.end(), [&](std::string_view prefix) { return text.starts_with(prefix); });
}

std::string value_of(const Values& values, std::string_view name) {
  const auto found = values.find(name);
  return found == values.end() ? std::string() : found->second;
}

/// The commands that berth itself puts into units.
bool is_runtime_call(std::string_view command, const Values& values) {
  const auto removal = fmt::format("{} delete --force '{}'", base::quote_unit_word(value_of(values, "RUNTIME")),
                                   value_of(values, "NAME"));
  return command == removal || std::any_of(runtime_calls.begin(), runtime_calls.end(),
                                           [&](std::string_view name) { return command == value_of(values, name); });
}

std::string last_value(const base::ParsedUnit& unit, std::string_view section, std::string_view key) {
  std::string value;
  for (const auto& assignment : unit.assignments) {
    if (assignment.section == section && assignment.key == key) {
      value = assignment.value;
    }
  }
  return value;
}

std::string shown(std::string_view line) {
  return base::printable(line, shown_bytes);
}

std::string shown(const base::UnitAssignment& assignment) {
  return fmt::format("{}={}", shown(assignment.key), shown(assignment.value));
}

/// A command of [Service], with the prefixes of systemd.service(5) in front.
std::optional<Privilege> command_privilege(const base::UnitAssignment& assignment, const std::string& user,
                                           const Values& values) {
  const std::string_view value = assignment.value;
  const auto begin = std::min(value.find_first_not_of("-@:+!|"), value.size());
  const auto command = value.substr(begin);
  if (command.empty() || is_runtime_call(command, values)) {
    return std::nullopt;
  }
  const bool privileged = value.substr(0, begin).find_first_of("+!") != std::string_view::npos;
  const bool root = user.empty() || user == "root" || user == "0" || privileged;
  return Privilege{
      fmt::format("the unit runs a program of the host as {}: {}", root ? "root" : shown(user), shown(assignment)),
      root};
}

/// Whether an assignment of environment(7) sets a variable of the loader, or one whose name only systemd can expand.
bool is_loader_variable(std::string_view variable) {
  const auto name = variable.substr(0, variable.find('='));
  return begins_with_one_of(name, loader_variables) || name.find('%') != std::string_view::npos;
}

/// Whether a setting of [Service] makes the runtime's call run anything but the host's runtime (ld.so(8),
/// systemd.exec(5)).
bool redirects(const base::UnitAssignment& assignment) {
  constexpr std::array<std::string_view, 10> roots = {"RootDirectory",
                                                      "RootImage",
                                                      "BindPaths",
                                                      "BindReadOnlyPaths",
                                                      "MountImages",
                                                      "ExtensionImages",
                                                      "ExtensionDirectories",
                                                      "ExecSearchPath",
                                                      "BPFProgram",
                                                      "PAMName"};
  if (assignment.key == "Environment") {
    const auto words = base::split_unit_words(assignment.value);
    return !words || std::any_of(words->begin(), words->end(), is_loader_variable);
  }
  if (assignment.key == "EnvironmentFile") {  // below /etc and /usr it is the administrator's
    const std::string_view value = assignment.value;
    const auto path = value.substr(value.starts_with('-') ? 1 : 0);
    return !(path.starts_with("/etc/") || path.starts_with("/usr/")) || path.find("..") != std::string_view::npos;
  }
  return is_one_of(assignment.key, roots);
}

/// A host file that becomes a standard stream of the payload.
std::optional<Privilege> stream_privilege(const base::UnitAssignment& assignment) {
  constexpr std::array<std::string_view, 3> streams = {"StandardInput", "StandardOutput", "StandardError"};
  constexpr std::array<std::string_view, 3> files = {"file:", "append:", "truncate:"};
  const std::string_view value = assignment.value;
  const bool stream = is_one_of(assignment.key, streams) && begins_with_one_of(value, files);
  if (!stream && assignment.key != "OpenFile") {
    return std::nullopt;
  }
  const auto path = stream ? value.substr(value.find(':') + 1) : value.substr(0, value.find(':'));
  return Privilege{fmt::format("the unit opens a file of the host for the container: {}", shown(assignment)),
                   !is_state_path(path)};
}

/// Whether a word of such a setting, `DIRECTORY` or `DIRECTORY:LINK`, names a directory that services must not own.
bool is_harmful_directory(std::string_view base, std::string_view word, bool own) {
  if (word.find('%') != std::string_view::npos) {
    return !own;
  }
  for (auto rest = word; !rest.empty();) {
    const auto part = rest.substr(0, rest.find(':'));
    rest.remove_prefix(std::min(part.size() + 1, rest.size()));
    const auto path = std::string(base).append(part);
    if (reaches_sensitive_path(path) || is_usual_host_path(path)) {
      return true;
    }
  }
  return false;
}

/// Host directories that systemd creates for the service, whose mode and owner it sets, and that it removes
/// (RuntimeDirectory=).
std::optional<Privilege> directory_privilege(const base::UnitAssignment& assignment, const Values& values) {
  const auto base = base_of_directories(assignment.key);
  if (base.empty()) {
    return std::nullopt;
  }
  const auto name = value_of(values, "NAME");
  const auto words = base::split_unit_words(assignment.value);
  bool foreign = !words;
  bool over_host = !words;
  for (const auto& word : words.value_or(std::vector<std::string>())) {
    const bool own = !name.empty() && (word == name || word == "%p" || word == "%N" || word.starts_with(name + "/"));
    const bool harmful = is_harmful_directory(base, word, own);
    foreign = foreign || !own || harmful;
    over_host = over_host || harmful;
  }
  return foreign ? std::optional(
                       Privilege{fmt::format("the unit creates, takes over or removes directories of the host: {}",
                                             shown(assignment)),
                                 over_host})
                 : std::nullopt;
}

/// Targets and services that change the state of the whole machine, or open a shell on its console.
bool affects_machine(std::string_view unit) {
  constexpr std::array<std::string_view, 26> stems = {"console-shell",
                                                      "ctrl-alt-del",
                                                      "debug-shell",
                                                      "emergency",
                                                      "exit",
                                                      "factory-reset",
                                                      "final",
                                                      "halt",
                                                      "hibernate",
                                                      "hybrid-sleep",
                                                      "initrd-switch-root",
                                                      "kexec",
                                                      "poweroff",
                                                      "reboot",
                                                      "rescue",
                                                      "runlevel0",
                                                      "runlevel1",
                                                      "runlevel6",
                                                      "shutdown",
                                                      "sleep",
                                                      "soft-reboot",
                                                      "suspend",
                                                      "suspend-then-hibernate",
                                                      "system-update",
                                                      "umount",
                                                      "container-shell"};
  auto stem = unit.substr(0, unit.rfind('.'));
  if (constexpr std::string_view own = "systemd-"; stem.starts_with(own)) {
    stem.remove_prefix(own.size());
  }
  return is_one_of(stem, stems) || unit.find('%') != std::string_view::npos;
}

/// The effect of a setting of [Unit] on other units.
std::optional<Privilege> unit_section_privilege(const base::UnitAssignment& assignment) {
  constexpr std::array<std::string_view, 5> starting = {"Wants", "Requires", "Requisite", "BindsTo", "Upholds"};
  constexpr std::array<std::string_view, 2> at_end = {"OnFailure", "OnSuccess"};
  constexpr std::array<std::string_view, 3> stopping = {"Conflicts", "PropagatesStopTo", "PropagatesReloadTo"};
  const auto words = base::split_unit_words(assignment.value);
  const bool machine = !words || std::any_of(words->begin(), words->end(), affects_machine);
  if (is_one_of(assignment.key, stopping)) {
    return assignment.key == "Conflicts"
               ? Privilege{fmt::format("the unit stops other units: {}", shown(assignment.value)), false}
               : Privilege{fmt::format("the unit stops or reloads other units: {}", shown(assignment)), false};
  }
  if (is_one_of(assignment.key, at_end) || (machine && is_one_of(assignment.key, starting))) {
    return Privilege{fmt::format("the unit starts other units: {}", shown(assignment)), machine};
  }
  if (assignment.key == "JoinsNamespaceOf") {
    return Privilege{fmt::format("the unit joins the namespaces of others: {}", shown(assignment.value)), false};
  }
  return std::nullopt;
}

std::optional<Privilege> install_section_privilege(const base::UnitAssignment& assignment) {
  if (assignment.key == "Alias") {
    return Privilege{fmt::format("the unit takes the names of other units: {}", shown(assignment.value)), true};
  }
  if (assignment.key == "Also") {
    const auto words = base::split_unit_words(assignment.value);
    return Privilege{fmt::format("other units are enabled with it: {}", shown(assignment.value)),
                     !words || std::any_of(words->begin(), words->end(), affects_machine)};
  }
  return std::nullopt;
}

/// CPU time and memory at the expense of others, and kernel objects of the host.
std::optional<Privilege> share_privilege(const base::UnitAssignment& assignment) {
  constexpr std::array<std::string_view, 5> resources = {"NetworkNamespacePath", "IPCNamespacePath",
                                                         "IPIngressFilterPath", "IPEgressFilterPath", "TTYPath"};
  const std::string_view value = assignment.value;
  if (assignment.key == "OOMScoreAdjust" && value.starts_with('-')) {
    return Privilege{fmt::format("is spared when memory runs out ({})", shown(assignment)), false};
  }
  const bool processor = assignment.key == "CPUSchedulingPolicy" && (value == "fifo" || value == "rr");
  const bool disk = assignment.key == "IOSchedulingClass" && (value == "realtime" || value == "1");
  if (processor || disk) {
    return Privilege{
        fmt::format("may keep the {} from others ({})", processor ? "processor" : "disks", shown(assignment)), false};
  }
  return is_one_of(assignment.key, resources)
             ? std::optional(
                   Privilege{fmt::format("the unit uses resources of the host: {}", shown(assignment)), false})
             : std::nullopt;
}

std::optional<Privilege> service_section_privilege(const base::UnitAssignment& assignment, const std::string& user,
                                                   const Values& values) {
  if (assignment.key.starts_with("Exec") && assignment.key != "ExecSearchPath") {
    return command_privilege(assignment, user, values);
  }
  if (redirects(assignment)) {
    return Privilege{fmt::format("the unit changes which programs it runs: {}", shown(assignment)), true};
  }
  if (auto privilege = stream_privilege(assignment)) {
    return privilege;
  }
  if (auto privilege = directory_privilege(assignment, values)) {
    return privilege;
  }
  return share_privilege(assignment);
}

std::optional<Privilege> privilege_of(const base::UnitAssignment& assignment, const std::string& user,
                                      const Values& values) {
  if (assignment.value.empty()) {
    return std::nullopt;
  }
  const bool service = assignment.section == "Service";
  if ((service || assignment.section == "Unit") && assignment.key.ends_with("Action") && assignment.value != "none") {
    return Privilege{fmt::format("the unit acts on the whole machine: {}", shown(assignment)), true};
  }
  if (service) {
    return service_section_privilege(assignment, user, values);
  }
  if (assignment.section == "Unit") {
    return unit_section_privilege(assignment);
  }
  return assignment.section == "Install" ? install_section_privilege(assignment) : std::nullopt;
}

/// Lines that make systemd before 246 read another file.
void add_included(std::string_view unit, std::vector<Privilege>& privileges) {
  while (!unit.empty()) {
    auto line = base::take_line(unit);
    line.remove_prefix(std::min(line.find_first_not_of(base::unit_blanks), line.size()));
    if (line.starts_with(".include ")) {
      privileges.push_back({fmt::format("the unit includes another file: {}", shown(line)), true});
    }
  }
}

}  // namespace

std::vector<Privilege> unit_privileges(std::string_view unit, const Values& values) {
  const base::ParsedUnit read = base::parse_unit(unit);
  const std::string user = last_value(read, "Service", "User");
  std::vector<Privilege> privileges;
  for (const auto& assignment : read.assignments) {
    if (auto privilege = privilege_of(assignment, user, values)) {
      privileges.push_back(std::move(*privilege));
    }
  }
  add_included(unit, privileges);
  return privileges;
}

std::vector<std::string> environment_files(std::string_view unit) {
  std::vector<std::string> patterns;
  for (const auto& assignment : base::parse_unit(unit).assignments) {
    if (assignment.section == "Service" && assignment.key == "EnvironmentFile") {
      const std::string_view value = assignment.value;
      patterns.emplace_back(value.substr(value.starts_with('-') ? 1 : 0));
    }
  }
  return patterns;
}

std::string_view base_of_directories(std::string_view key) {
  constexpr std::array<std::pair<std::string_view, std::string_view>, 5> bases = {
      {{"RuntimeDirectory", "/run/"},
       {"StateDirectory", "/var/lib/"},
       {"CacheDirectory", "/var/cache/"},
       {"LogsDirectory", "/var/log/"},
       {"ConfigurationDirectory", "/etc/"}}};
  const auto* const found =
      std::find_if(bases.begin(), bases.end(), [&](const auto& each) { return each.first == key; });
  return found == bases.end() ? std::string_view() : found->second;
}

bool redirects_runtime(std::string_view environment_file) {
  return std::any_of(loader_variables.begin(), loader_variables.end(),
                     [&](std::string_view name) { return environment_file.find(name) != std::string_view::npos; });
}

}  // namespace berth::render
