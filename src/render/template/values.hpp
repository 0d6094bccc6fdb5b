// Template variables: where each value comes from and which wins (contract, section 2).
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "render/template/template_pieces.hpp"

namespace berth::render {

/// What the tool knows when it renders.
struct ToolValues {
  std::string name;
  std::string deployment;  ///< DESTDIR, absolute as the booted host sees it
  std::string image_name;
  std::string image_id;
  std::string runtime;  ///< absolute path
  bool runtime_has_pid_file = true;
  bool detached = false;  ///< the unit uses both $EXEC_STOPPOST and $PIDFILE (unit_wants_detached)
  std::string
      stop_signal;  ///< of the image, for EXEC_STOP (parse_stop_signal); only for images without service.template
  unsigned host_uid = 0;
  unsigned host_gid = 0;
  std::string run_directory = "/run";
  std::string state_directory = "/var/lib";
  std::string conf_directory = "/etc";
  std::string uuid;                       ///< a fresh version 4 UUID, used unless a default or a --set gives one
  std::string executable;                 ///< ATOMIC: absolute path of berth
  std::vector<std::string> capabilities;  ///< every capability the kernel knows
};

/// Names whose values the tool forces.
bool is_forced(std::string_view variable);

/// Parses `NAME=VALUE` as given to an option. @throws Error(usage): no `=`, illegal name, a forced name, a value that
/// is not UTF-8 or holds a NUL, which the info file could not keep
std::pair<std::string, std::string> parse_assignment(std::string_view text, std::string_view option = "--set");

/// Merges by precedence: forced, `set`, `defaults` (manifest.json), overridable.
/// PIDFILE is derived from the final RUN_DIRECTORY and RUNTIME feeds EXEC_*.
/// @throws Error(verification) for a stop signal that is none
Values merge_values(const ToolValues& tool, const Values& set, const Values& defaults);

/// "CAP_CHOWN",\n"CAP_…" as ALL_PROCESS_CAPABILITIES holds it. @param last_capability as in
/// /proc/sys/kernel/cap_last_cap
std::vector<std::string> capability_names(unsigned last_capability);

}  // namespace berth::render
