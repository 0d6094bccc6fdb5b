// SPDX-License-Identifier: LGPL-2.1-or-later
// The exit code for a program that an OCI runtime could not start in a container.
#pragma once

#include <string>

#include "base/json_fwd.hpp"

namespace berth::ops {

/// Which of the exit codes of env(1) holds for a command that did not start. The files decide it and not the message of
/// the runtime, whose wording differs from version to version.
/// @param bundle directory of the config.json, below which a relative path of the root file system lies
/// @param config the config.json; its bind mounts are searched as well
/// @param process the object `process` of the command
/// @return 127 if the program does not exist, 126 if the user of the process cannot execute it, 125 otherwise
int start_failure_code(const std::string& bundle, const base::Json& config, const base::Json& process);

}  // namespace berth::ops
