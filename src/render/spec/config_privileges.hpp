// SPDX-License-Identifier: LGPL-2.1-or-later
// Privileges that a config.json asks for.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/json_fwd.hpp"
#include "render/spec/privilege.hpp"

namespace berth::render {

/// What a final config.json asks for beyond the rights of a systemd service without settings: strong capabilities, the
/// host's namespaces, files, file systems, control groups, devices, kernel parameters, hooks. Settings that merely keep
/// a service's defaults are not reported (no seccomp filter, new privileges, rlimits).
/// @param cgroups_path the control group that berth would choose, see render::cgroups_path
std::vector<Privilege> config_privileges(const base::Json& config, std::string_view cgroups_path);

/// The privilege that a bind mount of a config.json gives. @param source where its source leads, if not to itself
Privilege bind_privilege(const base::Json& mount, const std::string& source = "");

/// Whether a mount of a config.json is a bind mount.
bool is_bind_mount(const base::Json& mount);

/// The source of a bind mount of a config.json; empty for other mounts.
std::string bind_source(const base::Json& mount);

/// Whether the last of the mount's options `ro` and `rw` lets the container write.
bool is_writable_mount(const base::Json& mount);

/// Host paths that bind mounts of a final config.json use as sources, in order.
std::vector<std::string> bind_sources(const base::Json& config);

}  // namespace berth::render
