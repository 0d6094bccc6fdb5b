// SPDX-License-Identifier: LGPL-2.1-or-later
// Privileges of a unit: systemd.service(5), systemd.exec(5), systemd.unit(5).
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "render/spec/privilege.hpp"
#include "render/template/values.hpp"

namespace berth::render {

/// What a rendered unit does besides calling the runtime: commands of its own on the host, another program or
/// environment for the runtime, host files and directories that it opens, writes or takes over, actions on the whole
/// machine and on other units, their names, CPU time and memory at the expense of others.
/// @param values of the templates: the EXEC_* among them are the runtime's calls
std::vector<Privilege> unit_privileges(std::string_view unit, const Values& values);

/// The files that the runtime gets environment variables from, as glob(7) patterns (EnvironmentFile=).
std::vector<std::string> environment_files(std::string_view unit);

/// Whether such a file sets a variable that makes the runtime run foreign code (ld.so(8)).
bool redirects_runtime(std::string_view environment_file);

/// The parent of the directories that a setting of [Service] names; with a slash at its end, empty for other settings.
std::string_view base_of_directories(std::string_view key);

}  // namespace berth::render
