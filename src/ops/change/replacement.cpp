// SPDX-License-Identifier: LGPL-2.1-or-later
#include "ops/change/replacement.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "base/file.hpp"
#include "host/files/host_file.hpp"
#include "host/files/root_directory.hpp"
#include "ops/footprint/companion_units.hpp"
#include "ops/footprint/enablement.hpp"
#include "ops/footprint/host_file_handover.hpp"
#include "ops/footprint/installed_unit.hpp"
#include "ops/footprint/replaced_directories.hpp"
#include "ops/footprint/system_package.hpp"
#include "ops/footprint/volumes.hpp"
#include "ops/plan/shared_host_files.hpp"
#include "ops/plan/taken_names.hpp"
#include "render/unit/tmpfiles.hpp"
#include "render/unit/unit.hpp"

namespace berth::ops {

namespace {

using base::Error;
using base::ErrorKind;

/// Whether the slot holds a deployment.
bool is_occupied(const Context& context, const std::string& slot) {
  const auto found = base::stat_at(AT_FDCWD, context.layout.deployments() + "/" + slot);
  if (found && !S_ISDIR(found->st_mode)) {
    throw Error(ErrorKind::conflict, fmt::format("{}/{} is not a deployment", context.layout.deployments(), slot),
                "it is the link of another container, whose name is that of the slot; install that container under "
                "another name");
  }
  return found.has_value();
}

void record_files(int root, const host::Deployment& before, const InstalledFootprint& footprint,
                  const InstallPlan& plan, SwitchRecord& record) {
  std::set<std::string> staying;
  for (const auto& planned : plan.files) {
    const auto& path = planned.file.destination;
    if (plan.package) {
      break;  // the package manager creates them
    }
    if (host::host_is(root, planned.file, planned.checksum)) {
      staying.insert(path);
    } else {
      record.after.files.push_back({path, planned.checksum});
    }
  }
  record.before->package = recorded_package(before.info);
  if (!record.before->package.name.empty()) {
    return;  // the package manager removes them
  }
  for (const auto& path : before.info.installed_files) {
    if (footprint.replaced.host_files.contains(path) && !staying.contains(path)) {
      record.before->files.push_back({path, host::recorded_checksum(before.info, path)});
    }
  }
}

/// Warns of files that the new deployment does not bring and that other containers use.
void warn_of_missing_files(const Context& context, const SwitchRecord& record) {
  for (const auto& file : record.before->files) {
    const bool stays = std::any_of(record.after.files.begin(), record.after.files.end(),
                                   [&](const RecordedFile& after) { return after.path == file.path; });
    for (const auto& other : stays ? std::vector<std::string>() : left_without(context, record.name, file)) {
      context.reporter.warning(describe_left_without(file.path, other));
    }
  }
}

/// Records units among the host files that this change removes or replaces.
void record_companions(const Context& context, const host::Deployment& before, const InstalledFootprint& footprint,
                       const InstallPlan& plan, SwitchRecord& record) {
  const auto planned = [&](const std::string& path) {
    return std::find_if(plan.files.begin(), plan.files.end(),
                        [&](const PlannedFile& file) { return file.file.destination == path; });
  };
  std::vector<std::string> changing;
  for (const auto& path : before.info.installed_files) {
    const auto same = planned(path);
    const bool unchanged = same != plan.files.end() && same->checksum == host::recorded_checksum(before.info, path);
    if (footprint.replaced.host_files.contains(path) && !unchanged) {
      changing.push_back(path);
    }
  }
  record.companions =
      companion_units(context, changing, [&](const std::string& path) { return planned(path) != plan.files.end(); });
}

/// Records whether the service runs, and which units a stop of it stops, too.
void record_service(Context& context, const host::Deployment& before, const host::UnitState& state,
                    const InstallPlan& plan, SwitchRecord& record) {
  const auto unit = host::unit_name(before.name);
  record.was_active = host::is_active(state);
  record.invocation = state.invocation_id;
  record.runtime = recorded_runtime(before.info);
  record.masked = plan.unit && is_masked(context, before.name);
  record.tmpfiles_masked = plan.tmpfiles && is_mask(context, context.layout.tmpfiles_in_root(before.name));
  record.starts = record.was_active && plan.unit && !record.masked;
  if (record.masked && record.was_active) {
    throw Error(ErrorKind::conflict, fmt::format("{} runs but is masked: it could not be started again", unit),
                fmt::format("stop it first, or unmask it: remove {} and run: berth update {}",
                            context.layout.unit_in_root(before.name), before.name));
  }
  auto units = active_names(record.companions);
  if (record.was_active) {
    units.push_back(unit);
  }
  record.taken_along = context.systemd.stopped_with(units);
}

void warn_of_edits(const Context& context, const SwitchRecord& record, const InstalledFootprint& footprint) {
  const auto& layout = context.layout;
  const auto report = [&](const std::string& path, const std::string& saved, const std::string& advice) {
    if (!saved.empty()) {
      context.reporter.warning(
          fmt::format("{} was edited and is replaced; the edited text is kept as {}{}", path, saved, advice));
    }
  };
  report(layout.unit_in_root(record.name), record.saved_unit, "; put settings of your own into drop-ins beside it");
  report(layout.tmpfiles_in_root(record.name), record.saved_tmpfiles, "");
  if (record.masked) {
    context.reporter.warning(
        fmt::format("{} is masked and stays masked; to unmask it, remove {} and run: berth update {}",
                    host::unit_name(record.name), layout.unit_in_root(record.name), record.name));
  }
  if (record.tmpfiles_masked) {
    context.reporter.warning(
        fmt::format("{0} is masked and stays masked; to unmask it, remove it and run: berth update {1}",
                    layout.tmpfiles_in_root(record.name), record.name));
  }
  for (const auto& path : footprint.edited) {
    context.reporter.warning(fmt::format("{} was edited and stays as it is", path));
  }
}

/// The values that the container was rendered with, `set` over them. Forced values are left out: they are computed.
render::Values kept_values(const host::DeploymentInfo& info, const render::Values& set) {
  auto values = info.values;
  std::erase_if(values, [](const auto& entry) { return render::is_forced(entry.first); });
  for (const auto& [name, value] : set) {
    values.insert_or_assign(name, value);
  }
  return values;
}

std::string wanted_runtime(const host::DeploymentInfo& info, const render::Values& values) {
  const auto found = values.find("RUNTIME");
  return found == values.end() ? info.runtime : found->second;
}

/// A change starts only services that ran. The user may have meant to repair a failed one.
/// @param failed whether the service was in the state "failed" before the change, which clears that state
void warn_if_failed(const Context& context, const SwitchRecord& record, bool failed) {
  if (failed && !record.starts && !record.after.unit.empty()) {
    context.reporter.warning(fmt::format("{} had failed before and does not run; start it with: {} start {}",
                                         host::unit_name(record.name), context.layout.command("systemctl"),
                                         record.name));
  }
}

}  // namespace

PlanRequest request_of_update(const Context& context, const host::Deployment& before, const render::Values& set,
                              bool local, const InstalledFootprint& footprint) {
  PlanRequest wanted;
  wanted.set = kept_values(before.info, set);
  wanted.uuid = host::random_uuid();
  wanted.runtime = host::find_runtime(context.layout, wanted_runtime(before.info, wanted.set), context.config.runtimes);
  wanted.system_package = before.info.system_package;
  wanted.local = local;
  wanted.replaced = footprint.replaced;
  wanted.volume_directory = staying_volume_directory(context, before);
  return wanted;
}

InstalledFootprint footprint_of(const Context& context, const host::Deployment& deployment) {
  InstalledFootprint result;
  const auto root = open_root(context);
  const OtherContainersFiles others(context.layout, deployment.name);
  for (const auto& path : deployment.info.installed_files) {
    if (const auto danger = host::danger_on_the_way(root.get(), path)) {
      context.reporter.warning(fmt::format("{} is left as it is: {}", path, danger->what()));
      continue;
    }
    const auto recorded = host::recorded_checksum(deployment.info, path);
    const auto now = recorded.empty() ? std::nullopt : host::host_checksum(root.get(), path);
    const bool packaged = !deployment.info.package.empty();  // the package manager decides about edited files
    const bool shared = !packaged && !others.owner(path, recorded).empty();  // another container owns it, too
    if (!shared && (recorded.empty() || now == recorded || packaged)) {
      result.replaced.host_files.insert(path);
    }
    if (now && now != recorded && !recorded.empty() && (!packaged || path.starts_with("/etc/"))) {
      result.edited.push_back(path);
    }
  }
  if (const auto lines = text_on_host(context, context.layout.tmpfiles_in_root(deployment.name))) {
    const auto paths = render::created_tmpfiles_paths(*lines);
    result.replaced.tmpfiles_paths.insert(paths.begin(), paths.end());
  }
  return result;
}

host::Deployment changeable_deployment(const Context& context, const std::string& name) {
  auto deployment = host::installed_deployment(context.layout, name);
  if (deployment.preinstalled) {
    throw Error(ErrorKind::not_permitted, fmt::format("{} is part of the operating system", name),
                fmt::format("it changes with the system image that brought it; `berth install --name={} IMAGE` puts "
                            "another one in its place",
                            name));
  }
  return deployment;
}

int other_slot(const host::Deployment& deployment) {
  return 1 - deployment.slot;
}

SwitchRecord replacement_record(Context& context, const std::string& operation, const host::Deployment& before,
                                const InstalledFootprint& footprint, const InstallPlan& plan, bool prepared) {
  const auto root = open_root(context);
  const auto& name = before.name;
  SwitchRecord record;
  record.operation = operation;
  record.name = name;
  record.secret = host::random_uuid();
  record.boot_id = context.facts.boot_id;
  record.before = RecordedDeployment{before.slot,
                                     checksum_on_host(context, context.layout.unit_in_root(name)),
                                     checksum_on_host(context, context.layout.tmpfiles_in_root(name)),
                                     {},
                                     {}};
  record.after = recorded_deployment(plan);
  record.prepared = prepared;
  record.had_place = prepared && is_occupied(context, host::slot_name(name, plan.slot));
  record_files(root.get(), before, footprint, plan, record);
  if (plan.unit) {
    refuse_taken_aliases(context, name, *plan.unit);
  }
  for (const auto& directory : replaced_directories(record)) {
    check_replaceable(context, record, directory, false);
  }
  const auto state = context.systemd.state(host::unit_name(name));
  record_companions(context, before, footprint, plan, record);
  record_service(context, before, state, plan, record);
  record_links(context, before, state, plan, record);
  record.tmpfiles_paths = plan.tmpfiles_paths;
  record.moves = volume_moves(context, before, plan.config, plan.info);
  record.fills = volumes_to_fill(context, plan, record.moves);
  std::erase_if(record.tmpfiles_paths, [&record](const std::string& path) {
    return std::any_of(record.moves.begin(), record.moves.end(), [&](const auto& move) { return move.to == path; });
  });
  const auto saved = saved_texts(context, before);
  record.saved_unit = record.masked ? "" : saved.unit;
  record.saved_tmpfiles = saved.tmpfiles;
  warn_of_edits(context, record, footprint);
  warn_of_missing_files(context, record);
  return record;
}

bool replace_deployment(Context& context, const SwitchRecord& record, SwitchInputs work, const GateOptions& gate,
                        const StepHook& hook) {
  bool judged = true;
  work.gate = [&context, &gate, &judged, plan = work.plan] {
    judged = pass_health_gate(context, plan->name, plan->runtime, plan->info.health_check, gate);
  };
  const bool failed = context.systemd.state(host::unit_name(record.name)).active_state == "failed";
  try {
    run_switch(context, record, work, hook);
    warn_if_failed(context, record, failed);
    return judged;
  } catch (const Error& error) {
    if (error.kind() == ErrorKind::start_failed) {
      context.reporter.warning(fmt::format("the {} of {} failed and was rolled back", record.operation, record.name));
    }
    throw;
  }
}

}  // namespace berth::ops
