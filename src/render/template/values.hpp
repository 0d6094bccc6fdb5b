// SPDX-License-Identifier: LGPL-2.1-or-later
// Template variables: the sources of values and their precedence (docs/system-containers.md, "Template variables").
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "render/template/template_pieces.hpp"

namespace berth::render {

/// The values that berth itself provides.
struct ToolValues {
  std::string name;
  std::string deployment;  ///< DESTDIR: absolute path on the booted host
  std::string image_name;
  std::string image_id;
  std::string runtime;  ///< absolute path
  bool runtime_has_pid_file = true;
  bool detached = false;  ///< the unit uses both $EXEC_STOPPOST and $PIDFILE (unit_wants_detached)
  /// Of the image, for EXEC_STOP (parse_stop_signal); only for images without service.template.
  std::string stop_signal;
  unsigned host_uid = 0;
  unsigned host_gid = 0;
  std::string run_directory = "/run";
  std::string state_directory = "/var/lib";
  std::string conf_directory = "/etc";
  std::string uuid;                       ///< a new version 4 UUID, used unless a default or --set gives one
  std::string executable;                 ///< ATOMIC: absolute path of berth
  std::vector<std::string> capabilities;  ///< every capability the kernel knows
};

/// Whether berth sets the variable and nothing can override it.
bool is_forced(std::string_view variable);

/// Parses `NAME=VALUE` as given to an option. @throws Error(usage): no `=`, illegal name, a forced name, a value that
/// is not UTF-8 or contains a NUL, which the info file cannot store
std::pair<std::string, std::string> parse_assignment(std::string_view text, std::string_view option = "--set");

/// Merges by precedence: forced, `set`, `defaults` (manifest.json), overridable.
/// PIDFILE is derived from the final RUN_DIRECTORY and RUNTIME feeds EXEC_*.
/// @throws Error(verification) for an invalid stop signal
Values merge_values(const ToolValues& tool, const Values& set, const Values& defaults);

/// The names of all capabilities, `CAP_CHOWN` first. @param last_capability content of /proc/sys/kernel/cap_last_cap
std::vector<std::string> capability_names(unsigned last_capability);

}  // namespace berth::render
