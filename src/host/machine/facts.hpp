// SPDX-License-Identifier: LGPL-2.1-or-later
// Facts about this machine, and its OCI runtime.
#pragma once

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
  std::string boot_id;     ///< differs after each boot (random(4))
};
Facts read_facts();

/// Facts for another root, which may run on a different machine: a kernel with all capabilities that berth knows,
/// unified cgroups, and no security module, so that labels are omitted.
Facts offline_facts();

/// An installed OCI runtime.
struct Runtime {
  std::string path;     ///< absolute, inside the root
  std::string version;  ///< e.g. "runc 1.1.5"; empty in an offline root
  bool has_pid_file = true;
};

/// Finds `wanted` (a path, or a name looked up in the usual bin directories of the root), or the first of `candidates`
/// that exists.
/// @throws Error(not_found) "The runtime X is not installed", Error(not_permitted) when it is not executable,
/// Error(failed) when it is too old for berth, or in user mode when it does not support user namespaces
Runtime find_runtime(const Layout& layout, const std::string& wanted, const std::vector<std::string>& candidates);

/// Whether the runtime has a container of that name, running or not, made by berth or not.
bool runtime_knows(const Runtime& runtime, const std::string& name);

/// A random version 4 UUID in lower case.
std::string random_uuid();

}  // namespace berth::host
