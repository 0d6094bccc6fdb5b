// SPDX-License-Identifier: LGPL-2.1-or-later
#include "ops/containers/install.hpp"

#include <fmt/format.h>

#include "base/error.hpp"
#include "base/file.hpp"
#include "base/json.hpp"
#include "host/machine/runtime_version.hpp"
#include "ops/change/recover.hpp"
#include "ops/change/staged_deployment.hpp"
#include "ops/deployments_directory.hpp"
#include "ops/footprint/installed_unit.hpp"
#include "ops/footprint/volumes.hpp"
#include "ops/images/pull.hpp"
#include "ops/plan/plan.hpp"
#include "ops/plan/plan_package.hpp"
#include "ops/plan/remote_rootfs.hpp"
#include "ops/plan/taken_names.hpp"
#include "ops/rootless.hpp"
#include "ops/runtime/health_gate.hpp"

namespace berth::ops {

namespace {

using base::Error;
using base::ErrorKind;

/// Refuses a unit that exists without a file: from a generator or created at run time. An unreachable systemd is
/// reported before anything is changed.
void refuse_known_unit(const Context& context, const std::string& name) {
  const auto unit = host::unit_name(name);
  if (context.layout.offline()) {
    return;
  }
  const auto state = context.systemd.state(unit);
  const bool hides = host::is_preinstalled(context.layout, name);
  if (hides && host::is_active(state)) {
    throw Error(ErrorKind::conflict, fmt::format("{} of the operating system is running", name),
                fmt::format("stop it first with: berth stop {}", name));
  }
  if (!hides && state.load_state != "not-found") {
    throw Error(ErrorKind::conflict, fmt::format("systemd already has a unit {}", unit),
                fmt::format("choose another name with --name; `{} status {}` shows its origin",
                            context.layout.command("systemctl"), unit));
  }
}

std::string wanted_runtime(const Context& context, const InstallRequest& request) {
  return request.runtime.empty() ? context.runtime_override : request.runtime;
}

host::Runtime choose_runtime(const Context& context, const InstallRequest& request, const std::string& name) {
  auto runtime = host::find_runtime(context.layout, wanted_runtime(context, request), context.config.runtimes);
  for (const auto& escape : host::known_escapes(runtime.version)) {
    context.reporter.warning(fmt::format(
        "{} has a vulnerability that lets a process escape from its container ({}); install a fixed version",
        runtime.version, escape));
  }
  if (context.layout.root() == "/" && host::runtime_knows(runtime, name)) {
    throw Error(
        ErrorKind::conflict,
        fmt::format("the runtime {} already has a container {} that berth did not create", runtime.path, name),
        fmt::format("choose another name with --name, or delete it with: {} delete --force {}", runtime.path, name));
  }
  return runtime;
}

store::Store open_store(Context& context, const StagedDeployment& staged, const InstallRequest& request,
                        ImageFetcher& fetcher) {
  if (context.layout.preinstalling()) {
    return store::Store::open(store_options(context, staged.throwaway_repository()));
  }
  return request.only_plan ? store_for_plan(context, staged.throwaway_repository(), fetcher)
                           : store::Store::open(store_options(context));
}

/// Checks out the root file system, or finds the directory of --rootfs.
void provide_rootfs(Context& context, StagedDeployment& staged, const InstallRequest& request, ImageFetcher& fetcher) {
  if (!request.rootfs.empty()) {
    const auto remote = find_remote_rootfs(context.layout, request.rootfs);
    context.reporter.step(fmt::format("using the root file system {}", remote));
    staged.use_remote(remote, named_image(context, fetcher.name()));
    return;
  }
  auto store = open_store(context, staged, request, fetcher);
  staged.check_linkable(store);
  const auto present = fetcher.ensure(store);
  context.reporter.step(fmt::format("{} {}", present.fetched ? "fetched" : "found", present.image.name));
  staged.check_out(store, present.image);
}

/// Fetches and checks out the image, and plans the install.
InstallPlan prepare(Context& context, StagedDeployment& staged, const InstallRequest& request, ImageFetcher& fetcher,
                    const std::string& name) {
  PlanRequest wanted;
  wanted.set = parse_set(request.set);
  wanted.uuid = host::random_uuid();
  wanted.runtime = choose_runtime(context, request, name);
  wanted.local = fetcher.local();
  wanted.system_package = request.system_package;
  provide_rootfs(context, staged, request, fetcher);
  wanted.one_off = runs_once(staged.image_config());
  check_stop(context.stop);
  auto plan = base::in_context([&] { return fmt::format("installing {}", name); }, [&] { return staged.plan(wanted); });
  if (plan.unit && !wanted.one_off) {
    refuse_taken_aliases(context, name, *plan.unit);
  }
  if (!wanted.one_off || request.only_plan) {  // run_image reports it otherwise
    report_plan(context, plan);
  }
  report_former_volumes(context, plan);
  return plan;
}

}  // namespace

render::Values parse_set(const std::vector<std::string>& assignments) {
  render::Values values;
  for (const auto& text : assignments) {
    auto [name, value] = render::parse_assignment(text);
    values.insert_or_assign(std::move(name), std::move(value));
  }
  return values;
}

SwitchRecord install_record(const Context& context, const InstallPlan& plan, bool start) {
  SwitchRecord record;
  record.operation = "install";
  record.name = plan.name;
  record.secret = host::random_uuid();
  record.boot_id = context.facts.boot_id;
  record.after = recorded_deployment(plan);
  if (!plan.package) {
    for (const auto& planned : plan.files) {
      if (!planned.present) {
        record.after.files.push_back({planned.file.destination, planned.checksum});
      }
    }
  }
  record.starts = start && plan.unit;
  record.enables = record.relinks = plan.unit.has_value();
  record.tmpfiles_paths = plan.tmpfiles_paths;
  record.fills = volumes_to_fill(context, plan, {});
  return record;
}

InstallOutcome install(Context& context, const InstallRequest& request, const StepHook& hook) {
  check_package_mode(request.system_package);
  parse_set(request.set);  // to report usage errors before anything is fetched
  if (!request.name.empty()) {
    host::check_container_name(request.name);
  }
  ImageFetcher fetcher(context, {request.image, request.authfile, request.platform, request.login});
  InstallOutcome outcome;
  outcome.name = request.name.empty() ? image::default_container_name(fetcher.name()) : request.name;
  host::check_container_name(outcome.name);
  if (context.layout.preinstalling() && !request.rootfs.empty()) {
    throw Error(ErrorKind::usage, "--preinstall and --rootfs exclude each other",
                "the files of the image become part of the operating system");
  }
  if (request.start && context.layout.offline()) {
    throw Error(ErrorKind::usage, "--now cannot be used with --root",
                "the unit is enabled and starts at the next boot");
  }

  check_rootless(context, true);
  const DeploymentsDirectory deployments(context.layout);
  recover_pending(context);
  const auto lock = lock_container(context, outcome.name);
  if (host::current_slot(context.layout, outcome.name)) {
    outcome.already_present = true;
    return outcome;
  }
  host::refuse_name_conflict(context.layout, outcome.name);
  refuse_taken_name(context, outcome.name);
  if (!request.only_plan) {
    refuse_known_unit(context, outcome.name);
  }
  for (const auto& path : settings_beside(context, outcome.name)) {
    context.reporter.warning(fmt::format("{} exists already and applies to {}", path, host::unit_name(outcome.name)));
  }
  StagedDeployment staged(context, outcome.name, 0);
  outcome.plan = prepare(context, staged, request, fetcher, outcome.name);
  if (runs_once(staged.image_config()) && !request.only_plan) {
    outcome.plan.reset();
    return outcome;
  }
  if (!request.only_plan) {
    if (context.layout.preinstalling()) {
      staged.become_self_contained(outcome.plan->config);
    }
    staged.write(*outcome.plan);
    run_switch(context, install_record(context, *outcome.plan, request.start),
               {&*outcome.plan, staged.directory(), outcome.plan->name + ".0/rootfs",
                [&] { check_immediate_exit(context, outcome.name, ErrorKind::start_failed); }},
               hook);
    outcome.started = request.start;
  }
  return outcome;
}

base::Json to_json(const InstallOutcome& outcome) {
  if (outcome.already_present) {
    return {{"name", outcome.name}, {"alreadyPresent", true}};
  }
  const auto& plan = *outcome.plan;
  return {{"name", plan.name},
          {"image", plan.image},
          {"imageId", plan.image_id},
          {"deployment", plan.deployment},
          {"started", outcome.started}};
}

}  // namespace berth::ops
