// berth run: a command in a container, for once.
#pragma once

#include <string>
#include <vector>

#include "ops/context.hpp"
#include "ops/plan/install_plan.hpp"
#include "ops/runtime/runtime_command.hpp"

namespace berth::ops {

struct RunRequest {
  std::string target;                ///< an installed container, or [SOURCE:]IMAGE
  std::vector<std::string> command;  ///< empty: what the container runs as a service
  std::vector<std::string> set;      ///< --set NAME=VALUE, images only
  std::string runtime;               ///< images only
  std::string authfile;
  std::string login;  ///< as PullRequest::login
  std::string platform;
  std::string name;        ///< what $NAME is for an image; empty: the name of the container that runs it
  bool detach = false;     ///< running containers only
  bool only_plan = false;  ///< for plan_run: nothing is changed
  Attachment attachment;
};

/// In a running container as exec does; else with the configuration and the root file system of an installed one, in a
/// container of its own beside it; else with an image, pulled when absent, over a temporary overlay.
/// @throws Error
CommandOutcome run(Context& context, const RunRequest& request);

/// The last of these, also when a container has the name of the image.
CommandOutcome run_image(Context& context, const RunRequest& request);

/// What run would do with an image; config.json is the one that would be run. Nothing is kept.
/// @param request with only_plan @throws Error(usage) when the target can only be a container
InstallPlan plan_run(Context& context, const RunRequest& request);

}  // namespace berth::ops
