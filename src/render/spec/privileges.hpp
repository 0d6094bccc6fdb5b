// What a container may do to the host, in words for --display.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.hpp"
#include "render/template/values.hpp"

namespace berth::render {

struct Privilege {
  std::string message;     ///< "runs with all capabilities (41)"
  bool over_host = false;  ///< whoever has it can do what root on the host can

  friend bool operator==(const Privilege&, const Privilege&) = default;
};

/// What a final config.json asks for beyond what any service of systemd without settings of its own has: strong
/// capabilities, the host's namespaces, files, file systems, control groups, devices and settings of the kernel, hooks.
/// What only lets it keep what any service has (no seccomp filter, new privileges, rlimits) is none.
/// @param cgroups_path the control group that berth would choose, see render::cgroups_path
std::vector<Privilege> powerful_requests(const base::Json& config, std::string_view cgroups_path);

/// What a rendered unit does beside calling the runtime: commands of its own on the host, other programs or
/// surroundings for the runtime, files and directories of the host that it opens, writes or takes over, actions on the
/// whole machine and on other units, names of those, time and memory at the cost of others (systemd.service(5),
/// systemd.exec(5), systemd.unit(5)).
/// @param values of the templates: the EXEC_* among them are the runtime's calls
std::vector<Privilege> unit_privileges(std::string_view unit, const Values& values);

/// The files that the runtime gets environment variables from, as glob(7) patterns (EnvironmentFile=).
std::vector<std::string> environment_files(std::string_view unit);

/// Whether such a file sets a variable by which the runtime runs something else than its own code (ld.so(8)).
bool redirects_runtime(std::string_view environment_file);

/// Lines of tmpfiles.d(5) that change or remove what is there already, or work outside /run, /srv, /tmp and /var.
std::vector<Privilege> tmpfiles_privileges(std::string_view lines);

/// A host file that gives away rights or that programs of root obey; nullopt for any other.
/// @param destination absolute path on the host @param mode permission bits
/// @param has_capability whether the file has a security.capability attribute
std::optional<Privilege> host_file_privilege(const std::string& destination, mode_t mode, bool has_capability);

/// Files that a host file would be read, or run, in place of: those of the system below /usr/lib and /run for a name
/// below /etc, programs below /usr for one below /usr/local (tmpfiles.d(5), systemd.unit(5), file-hierarchy(7)).
/// @param destination absolute path on the host
std::vector<std::string> places_hidden_by(const std::string& destination);

/// What a bind of a config.json means. @param source where it leads, if that is not what its source says
Privilege bind_privilege(const base::Json& mount, const std::string& source = "");

/// Whether a mount of a config.json is a bind.
bool is_bind_mount(const base::Json& mount);

/// Whether the last of the mount's options `ro` and `rw` lets the container write.
bool is_writable_mount(const base::Json& mount);

}  // namespace berth::render
