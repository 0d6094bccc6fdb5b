// SPDX-License-Identifier: LGPL-2.1-or-later
#include "render/template/values.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>

#include "base/error.hpp"
#include "base/json.hpp"
#include "base/unit_quoting.hpp"
#include "render/unit/stop_signal.hpp"

namespace berth::render {
namespace {

using base::Error;
using base::ErrorKind;

constexpr std::array<std::string_view, 10> forced_names = {"NAME",          "DESTDIR",       "EXEC_START", "EXEC_STOP",
                                                           "EXEC_STARTPRE", "EXEC_STOPPOST", "HOST_UID",   "HOST_GID",
                                                           "IMAGE_NAME",    "IMAGE_ID"};

std::string capability_list(const std::vector<std::string>& names) {
  std::string list;
  for (const auto& name : names) {
    list += fmt::format("{}\"{}\"", list.empty() ? "" : ",\n", name);
  }
  return list;
}

bool is_utf8(std::string_view text) {
  try {
    (void)base::Json(text).dump();
    return true;
  } catch (const base::Json::type_error&) {
    return false;
  }
}

/// Values that --set overrides; defaultValues override only UUID.
void put_overridable(Values& values, const ToolValues& tool) {
  values.insert_or_assign("RUN_DIRECTORY", tool.run_directory);
  values.insert_or_assign("STATE_DIRECTORY", tool.state_directory);
  values.insert_or_assign("CONF_DIRECTORY", tool.conf_directory);
  values.insert_or_assign("ALL_PROCESS_CAPABILITIES", capability_list(tool.capabilities));
  values.insert_or_assign("RUNTIME", tool.runtime);
  values.insert_or_assign("ATOMIC", tool.executable);
  values.try_emplace("UUID", tool.uuid);
  values.erase("PIDFILE");
}

/// The commands of the unit, from the final RUNTIME and PIDFILE.
void put_commands(Values& values, const ToolValues& tool) {
  const std::string runtime = base::quote_unit_word(values["RUNTIME"]);
  const bool detached = tool.detached && tool.runtime_has_pid_file;
  const std::string start =
      detached ? fmt::format("run -d --pid-file {}", base::quote_unit_word(values["PIDFILE"])) : "run";
  values.insert_or_assign("EXEC_START", fmt::format("{} {} '{}'", runtime, start, tool.name));
  const auto signal = tool.stop_signal.empty() ? "" : " " + parse_stop_signal(tool.stop_signal).for_runtime;
  values.insert_or_assign("EXEC_STOP", fmt::format("{} kill '{}'{}", runtime, tool.name, signal));
  values.insert_or_assign("EXEC_STARTPRE", "");
  values.insert_or_assign("EXEC_STOPPOST", detached ? fmt::format("{} delete '{}'", runtime, tool.name) : "");
}

}  // namespace

bool is_forced(std::string_view variable) {
  return std::find(forced_names.begin(), forced_names.end(), variable) != forced_names.end();
}

std::pair<std::string, std::string> parse_assignment(std::string_view text, std::string_view option) {
  const std::size_t equals = text.find('=');
  if (equals == std::string_view::npos) {
    throw Error(ErrorKind::usage, fmt::format("{} {}: there is no `=`", option, text),
                fmt::format("write {} NAME={}", option, option == "--set" ? "VALUE" : "FILE"));
  }
  const std::string_view name = text.substr(0, equals);  // the value may be a secret, which no message repeats
  if (!is_variable_name(name)) {
    throw Error(ErrorKind::usage, fmt::format("{} {}=…: that cannot be the name of a variable", option, name),
                "a name has letters, digits and `_`, and does not begin with a digit");
  }
  if (is_forced(name)) {
    throw Error(ErrorKind::usage, fmt::format("{} {}=…: berth itself sets this variable", option, name),
                name == "NAME" ? "use --name to choose the container's name" : "leave it out; it cannot be changed");
  }
  const std::string_view value = text.substr(equals + 1);
  if (value.find('\0') != std::string_view::npos || !is_utf8(value)) {
    throw Error(ErrorKind::usage,
                fmt::format("the value of {} is not text: it contains a NUL byte or is not UTF-8", name),
                "encode it, for example as base64");
  }
  return {std::string(name), std::string(value)};
}

Values merge_values(const ToolValues& tool, const Values& set, const Values& defaults) {
  Values values = defaults;
  put_overridable(values, tool);
  for (const auto& [name, value] : set) {
    values.insert_or_assign(name, value);
  }
  values.try_emplace("PIDFILE", fmt::format("{}/container-{}.pid", values["RUN_DIRECTORY"], tool.name));
  values.insert_or_assign("NAME", tool.name);
  values.insert_or_assign("DESTDIR", tool.deployment);
  values.insert_or_assign("HOST_UID", std::to_string(tool.host_uid));
  values.insert_or_assign("HOST_GID", std::to_string(tool.host_gid));
  values.insert_or_assign("IMAGE_NAME", tool.image_name);
  values.insert_or_assign("IMAGE_ID", tool.image_id);
  put_commands(values, tool);
  return values;
}

std::vector<std::string> capability_names(unsigned last_capability) {
  // capabilities(7), in the order of their numbers.
  static constexpr std::array<std::string_view, 41> names = {"CHOWN",
                                                             "DAC_OVERRIDE",
                                                             "DAC_READ_SEARCH",
                                                             "FOWNER",
                                                             "FSETID",
                                                             "KILL",
                                                             "SETGID",
                                                             "SETUID",
                                                             "SETPCAP",
                                                             "LINUX_IMMUTABLE",
                                                             "NET_BIND_SERVICE",
                                                             "NET_BROADCAST",
                                                             "NET_ADMIN",
                                                             "NET_RAW",
                                                             "IPC_LOCK",
                                                             "IPC_OWNER",
                                                             "SYS_MODULE",
                                                             "SYS_RAWIO",
                                                             "SYS_CHROOT",
                                                             "SYS_PTRACE",
                                                             "SYS_PACCT",
                                                             "SYS_ADMIN",
                                                             "SYS_BOOT",
                                                             "SYS_NICE",
                                                             "SYS_RESOURCE",
                                                             "SYS_TIME",
                                                             "SYS_TTY_CONFIG",
                                                             "MKNOD",
                                                             "LEASE",
                                                             "AUDIT_WRITE",
                                                             "AUDIT_CONTROL",
                                                             "SETFCAP",
                                                             "MAC_OVERRIDE",
                                                             "MAC_ADMIN",
                                                             "SYSLOG",
                                                             "WAKE_ALARM",
                                                             "BLOCK_SUSPEND",
                                                             "AUDIT_READ",
                                                             "PERFMON",
                                                             "BPF",
                                                             "CHECKPOINT_RESTORE"};
  const std::size_t count = std::min<std::size_t>(names.size(), std::size_t{last_capability} + 1);
  std::vector<std::string> result;
  result.reserve(count);
  for (std::size_t i = 0; i < count; ++i) {
    result.push_back("CAP_" + std::string(names.at(i)));
  }
  return result;
}

}  // namespace berth::render
