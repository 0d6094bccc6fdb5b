#include "ops/run.hpp"

#include <fmt/format.h>

#include <optional>

#include "base/error.hpp"
#include "ops/exec.hpp"
#include "ops/one_off.hpp"
#include "ops/recover.hpp"

namespace berth::ops {

namespace {

using base::Error;
using base::ErrorKind;

void refuse_image_options(const RunRequest& request) {
  if (!request.set.empty() || !request.runtime.empty() || !request.platform.empty()) {
    throw Error(ErrorKind::usage,
                fmt::format("{} is installed: its values, runtime and platform are settled", request.target),
                "leave out --set, --runtime and --platform, or name an image");
  }
}

CommandOutcome exec_instead(const Session& session, const host::Deployment& deployment, const std::string& runtime,
                            const RunRequest& request) {
  if (request.command.empty()) {
    throw Error(ErrorKind::usage, fmt::format("{} runs already", request.target),
                fmt::format("say what to run in it, e.g. berth run {} /bin/sh", request.target));
  }
  return exec_in(session, deployment, runtime, {request.target, request.command, request.detach, request.attachment});
}

/// The files of the container stay where they are while it is being claimed: whoever would remove them takes its lock.
CommandOutcome run_beside(Session& session, const RunRequest& request) {
  std::optional lock(lock_container(session, request.target));
  const auto deployment = runnable_deployment(session, request.target);
  const auto runtime = runtime_of(session, deployment);
  auto config = config_of(session, deployment);
  OneOff one_off(session, request.target, fmt::format("{}.{}", request.target, deployment.slot), runtime);
  one_off.claim();
  lock.reset();
  set_command(config["process"], request.command, request.attachment);
  return one_off.run(std::move(config), request.attachment);
}

CommandOutcome run_container(Session& session, const RunRequest& request) {
  refuse_image_options(request);
  const auto deployment = runnable_deployment(session, request.target);
  const auto runtime = runtime_of(session, deployment);
  if (runtime_status(runtime, request.target) == "running") {
    return exec_instead(session, deployment, runtime, request);
  }
  if (request.detach) {
    throw Error(ErrorKind::usage,
                fmt::format("--detach is for running containers, and {} does not run", request.target),
                fmt::format("start its service with berth start {}", request.target));
  }
  return run_beside(session, request);
}

}  // namespace

CommandOutcome run(Session& session, const RunRequest& request) {
  recover_pending(session);
  return run_container(session, request);
}

}  // namespace berth::ops
