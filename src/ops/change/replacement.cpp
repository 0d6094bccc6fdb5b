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
bool has_place(const Session& session, const std::string& slot) {
  const auto found = base::stat_at(AT_FDCWD, session.layout.deployments() + "/" + slot);
  if (found && !S_ISDIR(found->st_mode)) {
    throw Error(ErrorKind::conflict, fmt::format("{}/{} is no deployment", session.layout.deployments(), slot),
                "a container of that name stands where the new deployment would; install it under another name");
  }
  return found.has_value();
}

void note_files(int root, const host::Deployment& before, const Belongings& belongings, const InstallPlan& plan,
                SwitchNote& note) {
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
    if (belongings.replaced.host_files.contains(path) && !staying.contains(path)) {
      note.before->files.push_back({path, host::recorded_checksum(before.info, path)});
    }
  }
}

/// Of files that the new deployment does not bring any more.
void tell_who_is_left_without(const Session& session, const SwitchNote& note) {
  for (const auto& file : note.before->files) {
    const bool stays = std::any_of(note.after.files.begin(), note.after.files.end(),
                                   [&](const NotedFile& after) { return after.path == file.path; });
    for (const auto& other : stays ? std::vector<std::string>() : left_without(session, note.name, file)) {
      session.reporter.warning(left_without_words(file.path, other));
    }
  }
}

/// Units among the host files that this change removes or replaces.
void note_companions(const Session& session, const host::Deployment& before, const Belongings& belongings,
                     const InstallPlan& plan, SwitchNote& note) {
  const auto planned = [&](const std::string& path) {
    return std::find_if(plan.files.begin(), plan.files.end(),
                        [&](const PlannedFile& file) { return file.file.destination == path; });
  };
  std::vector<std::string> changing;
  for (const auto& path : before.info.installed_files) {
    const auto same = planned(path);
    const bool unchanged = same != plan.files.end() && same->checksum == host::recorded_checksum(before.info, path);
    if (belongings.replaced.host_files.contains(path) && !unchanged) {
      changing.push_back(path);
    }
  }
  note.companions =
      companion_units(session, changing, [&](const std::string& path) { return planned(path) != plan.files.end(); });
}

/// What runs now, and what a stop takes along.
void note_service(Session& session, const host::Deployment& before, const host::UnitState& state,
                  const InstallPlan& plan, SwitchNote& note) {
  const auto unit = host::unit_name(before.name);
  note.was_active = host::is_active(state);
  note.invocation = state.invocation_id;
  note.runtime = noted_runtime(before.info);
  note.masked = plan.unit && is_masked(session, before.name);
  note.tmpfiles_masked = plan.tmpfiles && is_mask(session, session.layout.tmpfiles_inside(before.name));
  note.starts = note.was_active && plan.unit && !note.masked;
  if (note.masked && note.was_active) {
    throw Error(ErrorKind::conflict, fmt::format("{} runs but is masked: it could not be started again", unit),
                fmt::format("stop it first, or lift the mask: remove {} and run: berth update {}",
                            session.layout.unit_inside(before.name), before.name));
  }
  auto units = active_names(note.companions);
  if (note.was_active) {
    units.push_back(unit);
  }
  note.taken_along = session.systemd.stopped_with(units);
}

void tell_of_edits(const Session& session, const SwitchNote& note, const Belongings& belongings) {
  const auto& layout = session.layout;
  const auto tell = [&](const std::string& path, const std::string& saved, const std::string& advice) {
    if (!saved.empty()) {
      session.reporter.warning(
          fmt::format("{} was edited and is replaced; what it was is kept as {}{}", path, saved, advice));
    }
  };
  tell(layout.unit_inside(note.name), note.saved_unit, "; put settings of your own into drop-ins beside it");
  tell(layout.tmpfiles_inside(note.name), note.saved_tmpfiles, "");
  if (note.masked) {
    session.reporter.warning(
        fmt::format("{} is masked and stays so; to lift the mask, remove {} and run: berth update {}",
                    host::unit_name(note.name), layout.unit_inside(note.name), note.name));
  }
  if (note.tmpfiles_masked) {
    session.reporter.warning(
        fmt::format("{0} is masked and stays so; to lift the mask, remove it and run: berth update {1}",
                    layout.tmpfiles_inside(note.name), note.name));
  }
  for (const auto& path : belongings.edited) {
    session.reporter.warning(fmt::format("{} was edited and stays as it is", path));
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
void tell_if_failed(Session& session, const SwitchNote& note) {
  const auto unit = host::unit_name(note.name);
  if (!note.starts && !note.after.unit.empty() && session.systemd.state(unit).active_state == "failed") {
    session.reporter.warning(fmt::format("{} had failed before and does not run; start it with: {} start {}", unit,
                                         session.layout.command("systemctl"), note.name));
  }
}

}  // namespace

PlanRequest request_of_update(const Session& session, const host::Deployment& before, const render::Values& set,
                              bool local, const Belongings& belongings) {
  PlanRequest wanted;
  wanted.set = kept_values(before.info, set);
  wanted.uuid = host::random_uuid();
  wanted.runtime = host::find_runtime(session.layout, wanted_runtime(before.info, wanted.set), session.config.runtimes);
  wanted.system_package = before.info.system_package;
  wanted.local = local;
  wanted.replaced = belongings.replaced;
  wanted.volume_folder = staying_volume_folder(session, before);
  return wanted;
}

Belongings belongings_of(const Session& session, const host::Deployment& deployment) {
  Belongings result;
  const auto root = open_root(session);
  const OthersFiles others(session.layout, deployment.name);
  for (const auto& path : deployment.info.installed_files) {
    if (const auto danger = host::danger_on_the_way(root.get(), path)) {
      session.reporter.warning(fmt::format("{} is left as it is: {}", path, danger->what()));
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
  if (const auto lines = text_on_host(session, session.layout.tmpfiles_inside(deployment.name))) {
    const auto paths = render::created_tmpfiles_paths(*lines);
    result.replaced.tmpfiles_paths.insert(paths.begin(), paths.end());
  }
  return result;
}

host::Deployment changeable_deployment(const Session& session, const std::string& name) {
  auto deployment = host::installed_deployment(session.layout, name);
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

SwitchNote note_of_replacement(Session& session, const std::string& operation, const host::Deployment& before,
                               const Belongings& belongings, const InstallPlan& plan, bool prepared) {
  const auto root = open_root(session);
  const auto& name = before.name;
  SwitchNote note;
  note.operation = operation;
  note.name = name;
  note.secret = host::random_uuid();
  note.boot_id = session.facts.boot_id;
  note.before = NotedDeployment{before.slot,
                                checksum_on_host(session, session.layout.unit_inside(name)),
                                checksum_on_host(session, session.layout.tmpfiles_inside(name)),
                                {},
                                {}};
  note.after = noted_deployment(plan);
  note.prepared = prepared;
  note.had_place = prepared && has_place(session, host::slot_name(name, plan.slot));
  note_files(root.get(), before, belongings, plan, note);
  if (plan.unit) {
    refuse_taken_aliases(session, name, *plan.unit);
  }
  for (const auto& folder : folders_in_the_way(note)) {
    check_room(session, note, folder, false);
  }
  const auto state = session.systemd.state(host::unit_name(name));
  note_companions(session, before, belongings, plan, note);
  note_service(session, before, state, plan, note);
  note_links(session, before, state, plan, note);
  note.tmpfiles_paths = plan.tmpfiles_paths;
  note.moves = volume_moves(session, before, plan.config, plan.info);
  note.fills = volumes_to_fill(session, plan, note.moves);
  std::erase_if(note.tmpfiles_paths, [&note](const std::string& path) {
    return std::any_of(note.moves.begin(), note.moves.end(), [&](const auto& move) { return move.to == path; });
  });
  const auto saved = saved_texts(session, before);
  note.saved_unit = note.masked ? "" : saved.unit;
  note.saved_tmpfiles = saved.tmpfiles;
  tell_of_edits(session, note, belongings);
  tell_who_is_left_without(session, note);
  return note;
}

bool replace_deployment(Session& session, const SwitchNote& note, SwitchWork work, const GateOptions& gate,
                        const StepHook& hook) {
  bool judged = true;
  work.gate = [&session, &gate, &judged, plan = work.plan] {
    judged = pass_health_gate(session, plan->name, plan->runtime, plan->info.health_check, gate);
  };
  try {
    run_switch(session, note, work, hook);
    tell_if_failed(session, note);
    return judged;
  } catch (const Error& error) {
    if (error.kind() == ErrorKind::start_failed) {
      session.reporter.warning(fmt::format("the {} of {} failed and was rolled back", note.operation, note.name));
    }
    throw;
  }
}

}  // namespace berth::ops
