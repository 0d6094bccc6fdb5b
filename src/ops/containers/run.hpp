// SPDX-License-Identifier: LGPL-2.1-or-later
// berth run: runs one command in a container.
#pragma once

#include <string>
#include <vector>

#include "ops/context.hpp"
#include "ops/plan/install_plan.hpp"
#include "ops/runtime/runtime_command.hpp"

namespace berth::ops {

struct RunRequest {
  std::string target;                ///< an installed container, or [SOURCE:]IMAGE
  std::vector<std::string> command;  ///< empty: the command of the container's service
  std::vector<std::string> set;      ///< --set NAME=VALUE, images only
  std::string runtime;               ///< images only
  std::string authfile;
  std::string login;  ///< as PullRequest::login
  std::string platform;
  std::string name;        ///< value of $NAME for an image; empty: the name of the container that runs it
  bool detach = false;     ///< running containers only
  bool only_plan = false;  ///< for plan_run: change nothing
  Attachment attachment;
};

/// Runs a command. In a running container, as exec does. For a stopped container, in a second container with its
/// configuration and its root file system. For an image, which is pulled when it is not stored, in a container with a
/// temporary overlay.
/// @throws Error
CommandOutcome run(Context& context, const RunRequest& request);

/// Runs an image, even when a container has the same name.
CommandOutcome run_image(Context& context, const RunRequest& request);

/// @return the plan by which run_image would run an image, with its config.json
/// @param request with only_plan
/// @throws Error(usage) when the target can only be a container
InstallPlan plan_run(Context& context, const RunRequest& request);

}  // namespace berth::ops
