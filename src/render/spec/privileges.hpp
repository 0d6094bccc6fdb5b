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

struct Power {
  std::string sentence;    ///< "runs with all capabilities (41)"
  bool over_host = false;  ///< whoever has it can do what root on the host can

  friend bool operator==(const Power&, const Power&) = default;
};

/// What a final config.json asks for beyond what any service of systemd without settings of its own has: strong
/// capabilities, the host's namespaces, files, file systems, control groups, devices and settings of the kernel, hooks.
/// What only lets it keep what any service has (no seccomp filter, new privileges, rlimits) is none.
/// @param cgroups_path the control group that berth would choose, see render::cgroups_path
std::vector<Power> powerful_requests(const base::Json& config, std::string_view cgroups_path);

/// What a rendered unit does beside calling the runtime: commands of its own on the host, other programs or
/// surroundings for the runtime, files and folders of the host that it opens, writes or takes over, actions on the
/// whole machine and on other units, names of those, time and memory at the cost of others (systemd.service(5),
/// systemd.exec(5), systemd.unit(5)).
/// @param values of the templates: the EXEC_* among them are the runtime's calls
std::vector<Power> unit_powers(std::string_view unit, const Values& values);

/// The files that the runtime gets environment variables from, as glob(7) patterns (EnvironmentFile=).
std::vector<std::string> environment_files(std::string_view unit);

/// Whether such a file sets a variable by which the runtime runs something else than its own code (ld.so(8)).
bool redirects_runtime(std::string_view environment_file);

/// Lines of tmpfiles.d(5) that change or remove what is there already, or work outside /run, /srv, /tmp and /var.
std::vector<Power> tmpfiles_powers(std::string_view lines);

/// A host file that gives away rights or that programs of root obey; nullopt for any other.
/// @param destination absolute path on the host @param mode permission bits
/// @param has_capability whether the file has a security.capability attribute
std::optional<Power> host_file_power(const std::string& destination, mode_t mode, bool has_capability);

/// Files that a host file would be read, or run, in place of: those of the system below /usr/lib and /run for a name
/// below /etc, programs below /usr for one below /usr/local (tmpfiles.d(5), systemd.unit(5), file-hierarchy(7)).
/// @param destination absolute path on the host
std::vector<std::string> places_hidden_by(const std::string& destination);

/// What a bind of a config.json means. @param source where it leads, if that is not what its source says
Power bind_power(const base::Json& mount, const std::string& source = "");

/// Whether a mount of a config.json is a bind.
bool is_bind_mount(const base::Json& mount);

/// Whether the last of the mount's options `ro` and `rw` lets the container write.
bool is_writable_mount(const base::Json& mount);

}  // namespace berth::render
