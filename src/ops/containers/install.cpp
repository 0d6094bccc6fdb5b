#include "ops/containers/install.hpp"

#include <fmt/format.h>

#include <chrono>

#include "base/error.hpp"
#include "base/file.hpp"
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

/// Also of units that no file shows: made by a generator or at run time. And whoever cannot reach systemd hears it
/// before anything is done.
void refuse_known_unit(const Session& session, const std::string& name) {
  const auto unit = host::unit_name(name);
  if (session.layout.offline()) {
    return;
  }
  const auto state = session.systemd.state(unit);
  const bool hides = host::is_preinstalled(session.layout, name);
  if (hides && host::is_active(state)) {
    throw Error(ErrorKind::conflict, fmt::format("{} of the operating system runs", name),
                fmt::format("stop it first with: berth stop {}", name));
  }
  if (!hides && state.load_state != "not-found") {
    throw Error(ErrorKind::conflict, fmt::format("systemd has a unit {} already", unit),
                fmt::format("choose another name with --name; `{} status {}` shows where it is from",
                            session.layout.command("systemctl"), unit));
  }
}

std::string wanted_runtime(const Session& session, const InstallRequest& request) {
  return request.runtime.empty() ? session.runtime_override : request.runtime;
}

host::Runtime choose_runtime(const Session& session, const InstallRequest& request, const std::string& name) {
  auto runtime = host::find_runtime(session.layout, wanted_runtime(session, request), session.config.runtimes);
  for (const auto& escape : host::known_escapes(runtime.version)) {
    session.reporter.warning(fmt::format("{} lets a hostile process out of its container ({}); install a corrected one",
                                         runtime.version, escape));
  }
  if (session.layout.root() == "/" && host::runtime_knows(runtime, name)) {
    throw Error(ErrorKind::conflict,
                fmt::format("the runtime {} has a container {} already, which berth did not make", runtime.path, name),
                fmt::format("choose another name with --name, or remove that one with: {} delete --force {}",
                            runtime.path, name));
  }
  return runtime;
}

store::Store open_store(Session& session, const Preparation& preparation, const InstallRequest& request,
                        ImageOrigin& origin) {
  if (session.layout.preinstalling()) {
    return store::Store::open(store_options(session, preparation.throwaway_repository()));
  }
  return request.only_plan ? store_for_plan(session, preparation.throwaway_repository(), origin)
                           : store::Store::open(store_options(session));
}

/// Lays the root file system out, or finds it where --rootfs says.
void lay_out(Session& session, Preparation& preparation, const InstallRequest& request, ImageOrigin& origin) {
  if (!request.rootfs.empty()) {
    const auto remote = find_remote_rootfs(session.layout, request.rootfs);
    session.reporter.step(fmt::format("using the root file system {}", remote));
    preparation.use_remote(remote, named_image(session, origin.name()));
    return;
  }
  auto store = open_store(session, preparation, request, origin);
  preparation.check_linkable(store);
  const auto present = origin.ensure(store);
  session.reporter.step(fmt::format("{} {}", present.fetched ? "fetched" : "found", present.image.name));
  preparation.check_out(store, present.image);
}

/// Fetches, checks out and plans.
InstallPlan prepare(Session& session, Preparation& preparation, const InstallRequest& request, ImageOrigin& origin,
                    const std::string& name) {
  PlanRequest wanted;
  wanted.set = parse_set(request.set);
  wanted.uuid = host::random_uuid();
  wanted.runtime = choose_runtime(session, request, name);
  wanted.local = origin.local();
  wanted.system_package = request.system_package;
  lay_out(session, preparation, request, origin);
  wanted.one_off = runs_once(preparation.image_config());
  check_stop(session.stop);
  auto plan =
      base::in_context([&] { return fmt::format("installing {}", name); }, [&] { return preparation.plan(wanted); });
  if (plan.unit && !wanted.one_off) {
    refuse_taken_aliases(session, name, *plan.unit);
  }
  if (!wanted.one_off || request.only_plan) {  // otherwise who runs it tells
    report_plan(session, plan);
  }
  report_former_volumes(session, plan);
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

SwitchNote note_of_install(const Session& session, const InstallPlan& plan, bool start) {
  SwitchNote note;
  note.operation = "install";
  note.name = plan.name;
  note.secret = host::random_uuid();
  note.boot_id = session.facts.boot_id;
  note.after = noted_deployment(plan);
  if (!plan.package) {
    for (const auto& planned : plan.files) {
      if (!planned.present) {
        note.after.files.push_back({planned.file.destination, planned.checksum});
      }
    }
  }
  note.starts = start && plan.unit;
  note.enables = note.relinks = plan.unit.has_value();
  note.tmpfiles_paths = plan.tmpfiles_paths;
  note.fills = volumes_to_fill(session, plan, {});
  return note;
}

InstallOutcome install(Session& session, const InstallRequest& request, const StepHook& hook) {
  check_package_mode(request.system_package);
  parse_set(request.set);  // a usage error comes before anything is fetched
  if (!request.name.empty()) {
    host::check_container_name(request.name);
  }
  ImageOrigin origin(session, {request.image, request.authfile, request.platform, request.login});
  InstallOutcome outcome;
  outcome.name = request.name.empty() ? image::default_container_name(origin.name()) : request.name;
  host::check_container_name(outcome.name);
  if (session.layout.preinstalling() && !request.rootfs.empty()) {
    throw Error(ErrorKind::usage, "--preinstall and --rootfs exclude each other",
                "the files of the image become part of the operating system");
  }
  if (request.start && session.layout.offline()) {
    throw Error(ErrorKind::usage, "--now cannot be used with --root",
                "the unit is enabled and starts at the next boot");
  }

  check_user_space(session, true);
  const DeploymentsFolder deployments(session.layout);
  recover_pending(session);
  const auto lock = lock_container(session, outcome.name);
  if (host::current_slot(session.layout, outcome.name)) {
    outcome.already_present = true;
    return outcome;
  }
  host::refuse_name_conflict(session.layout, outcome.name);
  refuse_taken_name(session, outcome.name);
  if (!request.only_plan) {
    refuse_known_unit(session, outcome.name);
  }
  for (const auto& path : settings_beside(session, outcome.name)) {
    session.reporter.warning(fmt::format("{} is there already and holds for {}", path, host::unit_name(outcome.name)));
  }
  Preparation preparation(session, outcome.name, 0);
  outcome.plan = prepare(session, preparation, request, origin, outcome.name);
  if (runs_once(preparation.image_config()) && !request.only_plan) {
    outcome.plan.reset();
    return outcome;
  }
  if (!request.only_plan) {
    if (session.layout.preinstalling()) {
      preparation.become_self_contained(outcome.plan->config);
    }
    preparation.write(*outcome.plan);
    run_switch(session, note_of_install(session, *outcome.plan, request.start),
               {&*outcome.plan, preparation.folder(), outcome.plan->name + ".0/rootfs",
                [&] { pass_first_look(session, outcome.name, ErrorKind::start_failed); }},
               hook);
  }
  return outcome;
}

}  // namespace berth::ops
