// SPDX-License-Identifier: LGPL-2.1-or-later
#include "ops/containers/run.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <optional>

#include "base/error.hpp"
#include "base/json.hpp"
#include "host/files/tmpfs_overlay.hpp"
#include "host/machine/facts.hpp"
#include "ops/change/recover.hpp"
#include "ops/change/staged_deployment.hpp"
#include "ops/containers/install.hpp"
#include "ops/deployments_directory.hpp"
#include "ops/images/image_lookup.hpp"
#include "ops/images/pull.hpp"
#include "ops/rootless.hpp"
#include "ops/runtime/exec.hpp"
#include "ops/runtime/one_off.hpp"
#include "render/spec/config_privileges.hpp"

namespace berth::ops {

namespace {

using base::Error;
using base::ErrorKind;

void refuse_image_options(const RunRequest& request) {
  if (!request.set.empty() || !request.runtime.empty() || !request.platform.empty()) {
    throw Error(ErrorKind::usage,
                fmt::format("{} is installed: its values, runtime and platform are fixed", request.target),
                "omit --set, --runtime and --platform, or name an image");
  }
}

CommandOutcome exec_instead(const Context& context, const host::Deployment& deployment, const std::string& runtime,
                            const RunRequest& request) {
  if (request.command.empty()) {
    throw Error(ErrorKind::usage, fmt::format("{} is already running", request.target),
                fmt::format("name a command to run in it, e.g. berth run {} /bin/sh", request.target));
  }
  return exec_in(context, deployment, runtime, {request.target, request.command, request.detach, request.attachment});
}

/// The unit's copies of these files exist only while the service is active.
void use_resolver_of_host(const Context& context, const std::string& name, base::Json& config) {
  const auto copies = fmt::format("{}/container-{}/", context.layout.runtime_in_root(), name);
  auto mounts = base::Json::array();
  for (auto& mount : config.value("mounts", base::Json::array())) {
    const auto source = mount.value("source", "");
    if (source == copies + "resolv.conf" || source == copies + "hosts") {
      const auto own = "/etc/" + source.substr(copies.size());
      if (::access(context.layout.on_disk(own).c_str(), F_OK) != 0) {
        continue;
      }
      mount["source"] = own;
    }
    mounts.push_back(std::move(mount));
  }
  config["mounts"] = std::move(mounts);
}

/// Runs a second container with the files of a stopped one. The lock is held until these files are claimed, so that no
/// other command removes them.
CommandOutcome run_second(Context& context, const RunRequest& request) {
  std::optional lock(lock_container(context, request.target));
  const auto deployment = runnable_deployment(context, request.target);
  const auto runtime = runtime_of(context, deployment);
  auto config = config_of(context, deployment);
  use_resolver_of_host(context, request.target, config);
  OneOff one_off(context, request.target, host::slot_name(request.target, deployment.slot), runtime);
  one_off.claim();
  lock.reset();
  set_command(config["process"], request.command, request.attachment);
  return one_off.run(std::move(config), request.attachment);
}

CommandOutcome run_container(Context& context, const RunRequest& request) {
  refuse_image_options(request);
  const auto deployment = runnable_deployment(context, request.target);
  const auto runtime = runtime_of(context, deployment);
  if (container_runs(context, runtime, request.target)) {
    return exec_instead(context, deployment, runtime, request);
  }
  if (request.detach) {
    throw Error(ErrorKind::usage,
                fmt::format("--detach needs a running container, and {} is not running", request.target),
                fmt::format("start its service with berth start {}", request.target));
  }
  return run_second(context, request);
}

/// Replaces binds of directories that an install would create by an empty tmpfs that belongs to the user of the
/// command.
void replace_missing_directories(const Context& context, base::Json& config) {
  const auto user = config.at("process").value("user", base::Json::object());
  for (auto& mount : config["mounts"]) {
    const auto source = mount.value("source", "");
    if (!render::is_bind_mount(mount) || !source.starts_with('/') ||
        ::access(context.layout.on_disk(source).c_str(), F_OK) == 0) {
      continue;
    }
    context.reporter.step(fmt::format("{} does not exist on the host; a temporary directory is used instead", source));
    mount["type"] = "tmpfs";
    mount["source"] = "tmpfs";
    mount["options"] = {"nosuid",
                        "nodev",
                        "mode=755",
                        "tmpcopyup",
                        fmt::format("uid={}", user.value("uid", 0U)),
                        fmt::format("gid={}", user.value("gid", 0U))};
  }
}

base::Json config_of_plan(const Context& context, const InstallPlan& plan, const RunRequest& request) {
  if (plan.config.empty()) {
    throw Error(ErrorKind::failed,
                fmt::format("{} has nothing to run: it only brings files for the host", request.target));
  }
  auto config = base::parse_json(plan.config, "config.json");
  config["root"]["readonly"] = false;  // it is an overlay or a copy
  replace_missing_directories(context, config);
  set_command(config["process"], request.command, request.attachment);
  return config;
}

/// Runs an image once.
class ImageRun {
 public:
  ImageRun(Context& context, const RunRequest& request)
      : context_(context),
        request_(checked(context, request)),
        fetcher_(context, {request.target, request.authfile, request.platform, request.login}),
        runtime_(host::find_runtime(context.layout,
                                    request.runtime.empty() ? context.runtime_override : request.runtime,
                                    context.config.runtimes)) {
    check_rootless(context, false);
    deployments_.emplace(context.layout);
    recover_pending(context);
    one_off_.emplace(context, image::default_container_name(fetcher_.name()), "",
                     context.layout.on_disk(runtime_.path));
    staged_.emplace(context, one_off_->id(), 0);
  }

  /// Checks out the image and plans. With only_plan, it changes nothing.
  InstallPlan plan() {
    PlanRequest wanted;
    wanted.set = parse_set(request_.set);
    wanted.uuid = host::random_uuid();
    wanted.name = request_.name;
    wanted.one_off = true;
    wanted.local = fetcher_.local();
    wanted.runtime = runtime_;
    if (!request_.only_plan) {
      one_off_->claim();
    }
    auto store = request_.only_plan ? store_for_plan(context_, staged_->throwaway_repository(), fetcher_)
                                    : store::Store::open(store_options(context_));
    staged_->check_out(store, fetcher_.ensure(store).image,
                       for_user() ? store::CheckoutFiles::copied : store::CheckoutFiles::linked);
    check_stop(context_.stop);
    return base::in_context([&] { return fmt::format("preparing {}", request_.target); },
                            [&] { return staged_->plan(wanted); });
  }

  CommandOutcome start(const InstallPlan& plan) {
    auto config = config_of_plan(context_, plan, request_);
    if (for_user()) {
      return one_off_->run(std::move(config), request_.attachment);  // on a copy, which is removed with the directory
    }
    const auto directory = context_.layout.deployments() + "/" + one_off_->directory();
    return one_off_->run(std::move(config), request_.attachment,
                         [&directory] { host::mount_tmpfs_overlay(directory); });
  }

 private:
  /// Reports usage errors before anything is fetched.
  static const RunRequest& checked(const Context& context, const RunRequest& request) {
    parse_set(request.set);
    if (request.detach || (context.layout.offline() && !request.only_plan)) {
      throw Error(request.detach ? ErrorKind::usage : ErrorKind::not_permitted,
                  request.detach
                      ? "--detach needs a running container, and this is an image"
                      : fmt::format("nothing can run in {}: that system is not running", context.layout.root()),
                  "install the image to have it run as a service");
    }
    return request;
  }

  [[nodiscard]] bool for_user() const { return context_.layout.user().has_value(); }

  Context& context_;
  const RunRequest& request_;
  ImageFetcher fetcher_;
  host::Runtime runtime_;
  std::optional<DeploymentsDirectory> deployments_;
  std::optional<OneOff> one_off_;
  std::optional<StagedDeployment> staged_;
};

}  // namespace

CommandOutcome run(Context& context, const RunRequest& request) {
  if (may_be_container(request.target)) {
    recover_pending(context);
    return run_container(context, request);
  }
  return run_image(context, request);
}

CommandOutcome run_image(Context& context, const RunRequest& request) {
  ImageRun run(context, request);
  const auto plan = run.plan();
  report_privileges(context, request.target, plan);
  return run.start(plan);
}

InstallPlan plan_run(Context& context, const RunRequest& request) {
  if (may_be_container(request.target)) {
    host::check_container_name(request.target);
    throw Error(ErrorKind::usage, "--display needs an image",
                fmt::format("berth inspect {} describes an installed container", request.target));
  }
  auto plan = ImageRun(context, request).plan();
  plan.config = config_of_plan(context, plan, request).dump(4) + "\n";
  return plan;
}

}  // namespace berth::ops
