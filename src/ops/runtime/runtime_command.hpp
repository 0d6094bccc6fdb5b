// SPDX-License-Identifier: LGPL-2.1-or-later
// Runs commands in containers by the OCI runtime, on descriptors of the caller.
#pragma once

#include <sys/types.h>

#include <array>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "base/json_fwd.hpp"
#include "host/state/deployment.hpp"
#include "ops/context.hpp"

namespace berth::ops {

/// Input and output of a command.
struct Attachment {
  std::array<int, 3> standard = {0, 1, 2};  ///< not owned
  bool terminal = false;                    ///< standard[0] is a terminal, and the command gets one too
  unsigned rows = 0;                        ///< of the terminal; 0: unknown
  unsigned columns = 0;
  std::function<void(pid_t)> running;  ///< see base::AttachedOptions: process that signals are forwarded to
};

/// How a command ended.
struct CommandOutcome {
  /// Exit code of the command; 128 + n when signal n ended it; 125, 126 or 127 with a `failure`.
  int exit_code = 0;
  /// Set when the runtime could not run the command: 127 the program does not exist in the container, 126 it cannot be
  /// executed, 125 any other failure.
  std::optional<base::Error> failure;
};

/// Path, for this process, of the runtime that a container was installed with.
std::string runtime_of(const Context& context, const host::Deployment& deployment);

/// Status of a container according to `RUNTIME state ID`: created, running, paused or stopped; empty: it does not
/// exist.
std::string runtime_status(const std::string& runtime, const std::string& id);

/// Whether the container of a service runs. When the runtime stays in the foreground, systemd calls the unit started
/// before the container is created: while the unit is active, this waits up to 20 s for the container.
bool container_runs(Context& context, const std::string& runtime, const std::string& name);

/// The config.json of a container, with old forms converted, see docs/system-containers.md, "Old
/// configurations". Its root path is absolute.
/// @throws Error(failed) if it does not exist: the image only contains files for the host
base::Json config_of(const Context& context, const host::Deployment& deployment);

/// Sets the command and the terminal in the object `process` of a config.json.
/// @param command empty: the command is not changed
void set_command(base::Json& process, const std::vector<std::string>& command, const Attachment& attachment);

/// Runs `RUNTIME ARGUMENTS` and waits for its end. @param what "run /bin/sh in web", for messages
/// @param failure_code the exit code if the runtime could not run it (start_failure_code)
/// @param before_start see base::AttachedOptions
CommandOutcome run_runtime(const std::string& runtime, const std::vector<std::string>& arguments,
                           const Attachment& attachment, const std::string& what,
                           const std::function<int()>& failure_code, const std::function<void()>& before_start = {});

}  // namespace berth::ops
