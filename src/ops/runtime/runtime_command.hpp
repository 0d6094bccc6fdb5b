// Commands in containers, run by the OCI runtime on descriptors of the caller.
#pragma once

#include <sys/types.h>

#include <array>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "base/json.hpp"
#include "host/state/deployment.hpp"
#include "ops/context.hpp"

namespace berth::ops {

/// Where the input of a command comes from and where its output goes.
struct Attachment {
  std::array<int, 3> standard = {0, 1, 2};  ///< not owned
  bool terminal = false;                    ///< standard[0] is a terminal, and the command gets one too
  unsigned rows = 0;                        ///< of the terminal; 0: unknown
  unsigned columns = 0;
  std::function<void(pid_t)> running;  ///< as base::AttachedOptions: to whom signals go from now on
};

/// How a command ended.
struct CommandOutcome {
  /// The command's own; 128 + n when signal n ended it; 125, 126 or 127 with a `failure`.
  int exit_code = 0;
  /// The runtime could not run it: 127 there is no such program in the container, 126 it cannot be executed, 125
  /// anything else.
  std::optional<base::Error> failure;
};

/// The runtime that a container was installed with, as this process runs it.
std::string runtime_of(const Context& context, const host::Deployment& deployment);

/// What `RUNTIME state ID` calls its status: created, running, paused, stopped; empty for an unknown container.
std::string runtime_status(const std::string& runtime, const std::string& id);

/// Whether the container of a service runs. A unit whose runtime stays in the foreground is started before its
/// container is there: while systemd says that it runs, the container is waited for, though not for ever.
bool container_runs(Context& context, const std::string& runtime, const std::string& name);

/// The whole config.json of a container, old forms converted (contract, section 9).
/// @throws Error(failed) when there is none: the image only brings files for the host
base::Json config_of(const Context& context, const host::Deployment& deployment);

/// Puts a command and the wish for a terminal into the object `process` of a config.json.
/// @param command empty: the one that is there stays
void set_command(base::Json& process, const std::vector<std::string>& command, const Attachment& attachment);

/// Runs `RUNTIME ARGUMENTS` and waits for its end. @param what "run /bin/sh in web", for messages
/// @param failure_code the exit code if the runtime could not run it (start_failure_code)
/// @param before_start as base::AttachedOptions
CommandOutcome run_runtime(const std::string& runtime, const std::vector<std::string>& arguments,
                           const Attachment& attachment, const std::string& what,
                           const std::function<int()>& failure_code, const std::function<void()>& before_start = {});

}  // namespace berth::ops
