// SPDX-License-Identifier: LGPL-2.1-or-later
// Privileges of the files that an image puts on the host.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>
#include <vector>

#include "render/spec/privilege.hpp"

namespace berth::render {

/// The privilege of a host file that grants rights, or that programs run by root obey; nullopt for any other.
/// @param destination absolute path on the host @param mode permission bits
/// @param has_capability whether the file has a security.capability attribute
std::optional<Privilege> host_file_privilege(const std::string& destination, mode_t mode, bool has_capability);

/// Files that a host file takes precedence over: those of the system below /usr/lib and /run for a name below /etc,
/// programs below /usr for one below /usr/local (tmpfiles.d(5), systemd.unit(5), file-hierarchy(7)).
/// @param destination absolute path on the host
std::vector<std::string> paths_overridden_by(const std::string& destination);

}  // namespace berth::render
