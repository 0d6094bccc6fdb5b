// The exit code for a program that an OCI runtime could not start in a container.
#pragma once

#include <string>

#include "base/json.hpp"

namespace berth::ops {

/// Which of the exit codes of env(1) holds for a command that did not start. The files decide it and not the message of
/// the runtime, whose wording differs from version to version.
/// @param root path of the container's root file system
/// @param process the object `process` of a config.json
/// @return 127 if the program does not exist, 126 if the user of the process cannot execute it, 125 otherwise
int start_failure_code(const std::string& root, const base::Json& process);

}  // namespace berth::ops
