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
#include "render/unit/unit.hpp"

namespace berth::ops {

namespace {

using base::Error;
using base::ErrorKind;

/// Whether a deployment is in the slot already.
bool has_place(const Context& context, const std::string& slot) {
  const auto found = base::stat_at(AT_FDCWD, context.layout.deployments() + "/" + slot);
  if (found && !S_ISDIR(found->st_mode)) {
    throw Error(ErrorKind::conflict, fmt::format("{}/{} is no deployment", context.layout.deployments(), slot),
                "a container of that name stands where the new deployment would; install it under another name");
  }
  return found.has_value();
}

void note_files(int root, const host::Deployment& before, const InstalledFootprint& footprint, const InstallPlan& plan,
                SwitchRecord& note) {
  std::set<std::string> staying;
  for (const auto& planned : plan.files) {
    const auto& path = planned.file.destination;
    if (plan.package) {
      break;  // the package manager creates them
    }
    if (host::host_is(root, planned.file, planned.checksum)) {
      staying.insert(path);
    } else {
      note.after.files.push_back({path, planned.checksum});
    }
  }
  note.before->package = noted_package(before.info);
  if (!note.before->package.name.empty()) {
    return;  // and removes them
  }
  for (const auto& path : before.info.installed_files) {
    if (footprint.replaced.host_files.contains(path) && !staying.contains(path)) {
      note.before->files.push_back({path, host::recorded_checksum(before.info, path)});
    }
  }
}

/// Of files that the new deployment does not bring any more.
void tell_who_is_left_without(const Context& context, const SwitchRecord& note) {
  for (const auto& file : note.before->files) {
    const bool stays = std::any_of(note.after.files.begin(), note.after.files.end(),
                                   [&](const NotedFile& after) { return after.path == file.path; });
    for (const auto& other : stays ? std::vector<std::string>() : left_without(context, note.name, file)) {
      context.reporter.warning(left_without_words(file.path, other));
    }
  }
}

/// Units among the host files that this change removes or replaces.
void note_companions(const Context& context, const host::Deployment& before, const InstalledFootprint& footprint,
                     const InstallPlan& plan, SwitchRecord& note) {
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
  note.companions =
      companion_units(context, changing, [&](const std::string& path) { return planned(path) != plan.files.end(); });
}

/// What runs now, and what a stop takes along.
void note_service(Context& context, const host::Deployment& before, const host::UnitState& state,
                  const InstallPlan& plan, SwitchRecord& note) {
  const auto unit = host::unit_name(before.name);
  note.was_active = host::is_active(state);
  note.invocation = state.invocation_id;
  note.runtime = noted_runtime(before.info);
  note.masked = plan.unit && is_masked(context, before.name);
  note.tmpfiles_masked = plan.tmpfiles && is_mask(context, context.layout.tmpfiles_in_root(before.name));
  note.starts = note.was_active && plan.unit && !note.masked;
  if (note.masked && note.was_active) {
    throw Error(ErrorKind::conflict, fmt::format("{} runs but is masked: it could not be started again", unit),
                fmt::format("stop it first, or lift the mask: remove {} and run: berth update {}",
                            context.layout.unit_in_root(before.name), before.name));
  }
  auto units = active_names(note.companions);
  if (note.was_active) {
    units.push_back(unit);
  }
  note.taken_along = context.systemd.stopped_with(units);
}

void tell_of_edits(const Context& context, const SwitchRecord& note, const InstalledFootprint& footprint) {
  const auto& layout = context.layout;
  const auto tell = [&](const std::string& path, const std::string& saved, const std::string& advice) {
    if (!saved.empty()) {
      context.reporter.warning(
          fmt::format("{} was edited and is replaced; what it was is kept as {}{}", path, saved, advice));
    }
  };
  tell(layout.unit_in_root(note.name), note.saved_unit, "; put settings of your own into drop-ins beside it");
  tell(layout.tmpfiles_in_root(note.name), note.saved_tmpfiles, "");
  if (note.masked) {
    context.reporter.warning(
        fmt::format("{} is masked and stays so; to lift the mask, remove {} and run: berth update {}",
                    host::unit_name(note.name), layout.unit_in_root(note.name), note.name));
  }
  if (note.tmpfiles_masked) {
    context.reporter.warning(
        fmt::format("{0} is masked and stays so; to lift the mask, remove it and run: berth update {1}",
                    layout.tmpfiles_in_root(note.name), note.name));
  }
  for (const auto& path : footprint.edited) {
    context.reporter.warning(fmt::format("{} was edited and stays as it is", path));
  }
}

/// What the container was rendered with and what a `--set` overrides; the forced ones are found anew.
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

/// A change starts nothing that did not run. Whoever wanted to mend a failed service is told.
void tell_if_failed(Context& context, const SwitchRecord& note) {
  const auto unit = host::unit_name(note.name);
  if (!note.starts && !note.after.unit.empty() && context.systemd.state(unit).active_state == "failed") {
    context.reporter.warning(fmt::format("{} had failed before and does not run; start it with: {} start {}", unit,
                                         context.layout.command("systemctl"), note.name));
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
  const OthersFiles others(context.layout, deployment.name);
  for (const auto& path : deployment.info.installed_files) {
    if (const auto danger = host::danger_on_the_way(root.get(), path)) {
      context.reporter.warning(fmt::format("{} is left as it is: {}", path, danger->what()));
      continue;
    }
    const auto recorded = host::recorded_checksum(deployment.info, path);
    const auto now = recorded.empty() ? std::nullopt : host::host_checksum(root.get(), path);
    const bool packaged = !deployment.info.package.empty();  // then the package manager decides about edited ones
    const bool shared = !packaged && !others.owner(path, recorded).empty();  // it is not for us to change
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

SwitchRecord note_of_replacement(Context& context, const std::string& operation, const host::Deployment& before,
                                 const InstalledFootprint& footprint, const InstallPlan& plan, bool prepared) {
  const auto root = open_root(context);
  const auto& name = before.name;
  SwitchRecord note;
  note.operation = operation;
  note.name = name;
  note.secret = host::random_uuid();
  note.boot_id = context.facts.boot_id;
  note.before = NotedDeployment{before.slot,
                                checksum_on_host(context, context.layout.unit_in_root(name)),
                                checksum_on_host(context, context.layout.tmpfiles_in_root(name)),
                                {},
                                {}};
  note.after = noted_deployment(plan);
  note.prepared = prepared;
  note.had_place = prepared && has_place(context, host::slot_name(name, plan.slot));
  note_files(root.get(), before, footprint, plan, note);
  if (plan.unit) {
    refuse_taken_aliases(context, name, *plan.unit);
  }
  for (const auto& directory : directories_in_the_way(note)) {
    check_room(context, note, directory, false);
  }
  const auto state = context.systemd.state(host::unit_name(name));
  note_companions(context, before, footprint, plan, note);
  note_service(context, before, state, plan, note);
  note_links(context, before, state, plan, note);
  note.tmpfiles_paths = plan.tmpfiles_paths;
  note.moves = volume_moves(context, before, plan.config, plan.info);
  note.fills = volumes_to_fill(context, plan, note.moves);
  std::erase_if(note.tmpfiles_paths, [&note](const std::string& path) {
    return std::any_of(note.moves.begin(), note.moves.end(), [&](const auto& move) { return move.to == path; });
  });
  const auto saved = saved_texts(context, before);
  note.saved_unit = note.masked ? "" : saved.unit;
  note.saved_tmpfiles = saved.tmpfiles;
  tell_of_edits(context, note, footprint);
  tell_who_is_left_without(context, note);
  return note;
}

bool replace_deployment(Context& context, const SwitchRecord& note, SwitchInputs work, const GateOptions& gate,
                        const StepHook& hook) {
  bool judged = true;
  work.gate = [&context, &gate, &judged, plan = work.plan] {
    judged = pass_health_gate(context, plan->name, plan->runtime, plan->info.health_check, gate);
  };
  try {
    run_switch(context, note, work, hook);
    tell_if_failed(context, note);
    return judged;
  } catch (const Error& error) {
    if (error.kind() == ErrorKind::start_failed) {
      context.reporter.warning(fmt::format("the {} of {} failed and was rolled back", note.operation, note.name));
    }
    throw;
  }
}

}  // namespace berth::ops
