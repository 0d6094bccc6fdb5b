// What this machine offers.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "host/layout.hpp"

namespace berth::host {

/// Facts about the kernel and the init system of this machine.
struct Facts {
  unsigned last_capability = 40;  ///< /proc/sys/kernel/cap_last_cap
  bool selinux = false;
  bool apparmor = false;
  bool cgroup_unified = true;
  bool booted_with_systemd = true;  ///< sd_booted(3)
  unsigned uid = 0;
  unsigned gid = 0;
  std::string executable;  ///< absolute path of this program
  std::string boot_id;     ///< another one after every boot (random(4))
};
Facts read_facts();

/// Those of a system that does not run: nothing of this machine, which may be another. It is taken to have a kernel
/// that knows all capabilities that berth knows, unified cgroups and no security module, whose labels are then left
/// out.
Facts offline_facts();

/// An OCI runtime that was found.
struct Runtime {
  std::string path;     ///< absolute, inside the root
  std::string version;  ///< e.g. "runc 1.1.5"; empty in an offline root
  bool has_pid_file = true;
};

/// Finds `wanted` (a path, or a name looked up in the usual bin directories of the root), or the first of `candidates`
/// that exists.
/// @throws Error(not_found) "The runtime X is not installed", Error(not_permitted) when it is not executable,
/// Error(failed) when it is older than what berth can use, or says that it makes no user namespaces and is for a user
Runtime find_runtime(const Layout& layout, const std::string& wanted, const std::vector<std::string>& candidates);

/// Whether the runtime of the running host has a container of that name, whoever made it, running or not.
bool runtime_knows(const Runtime& runtime, const std::string& name);

/// A random version 4 UUID in lower case.
std::string random_uuid();

}  // namespace berth::host
