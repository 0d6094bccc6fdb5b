// SPDX-License-Identifier: LGPL-2.1-or-later
// berth exec: runs a command in a running container.
#pragma once

#include <string>
#include <vector>

#include "ops/context.hpp"
#include "ops/runtime/runtime_command.hpp"

namespace berth::ops {

struct ExecRequest {
  std::string name;
  std::vector<std::string> command;
  bool detach = false;  ///< do not wait; its output goes to the journal
  Attachment attachment;
};

/// Runs a command in the running container with the user, environment, working directory and rights of its own process.
/// @throws Error(not_found), Error(failed) when it does not run, Error(not_permitted) with another root
CommandOutcome exec(Context& context, const ExecRequest& request);

/// As exec, for a container that is known to run.
CommandOutcome exec_in(const Context& context, const host::Deployment& deployment, const std::string& runtime,
                       const ExecRequest& request);

/// The deployment of an installed container. @throws Error(not_found), and Error(not_permitted) with another root,
///   where nothing can run
host::Deployment runnable_deployment(const Context& context, const std::string& name);

}  // namespace berth::ops
