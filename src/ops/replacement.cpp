#include "ops/replacement.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>

#include "base/digest.hpp"
#include "base/error.hpp"
#include "base/file.hpp"
#include "exports/unit.hpp"
#include "exports/unit_syntax.hpp"
#include "host/host_file.hpp"
#include "ops/system_package.hpp"
#include "ops/volumes.hpp"

namespace berth::ops {

namespace {

using base::Error;
using base::ErrorKind;

/// nullopt when there is no such file.
std::optional<std::string> host_text(int root, const std::string& path) {
  try {
    return base::read_all(base::open_in_root(root, path, O_RDONLY | O_NONBLOCK).get(), deployment_text_limit, path);
  } catch (const Error& error) {
    if (error.kind() == ErrorKind::not_found) {
      return std::nullopt;
    }
    throw;
  }
}

std::string checksum_of(const std::optional<std::string>& text) {
  return text ? base::digest_of(*text).hex() : "";
}

/// Whether what is on the host is just what the plan would put there.
bool is_there(int root, const PlannedFile& planned) {
  const auto& file = planned.file;
  if (!host::host_exists(root, file.destination)) {
    return false;
  }
  struct stat found {};
  const auto opened = base::open_in_root(root, file.destination, O_PATH | O_NOFOLLOW);
  base::check_errno(::fstat(opened.get(), &found), "examine " + file.destination);
  if (file.kind == host::HostFile::Kind::folder) {
    return S_ISDIR(found.st_mode);
  }
  const bool link = file.kind == host::HostFile::Kind::link;
  const bool same_mode =
      link ? S_ISLNK(found.st_mode) : S_ISREG(found.st_mode) && (found.st_mode & 07777U) == (file.mode & 07777U);
  return same_mode && found.st_uid == file.uid && found.st_gid == file.gid &&
         host::host_checksum(root, file.destination) == planned.checksum;
}

/// Whether a deployment is in the slot already.
bool has_place(const Session& session, const std::string& slot) {
  const auto found = base::stat_at(AT_FDCWD, session.layout.deployments() + "/" + slot);
  if (found && !S_ISDIR(found->st_mode)) {
    throw Error(ErrorKind::conflict, fmt::format("{}/{} is no deployment", session.layout.deployments(), slot),
                "a container of that name stands where the new deployment would; install it under another name");
  }
  return found.has_value();
}

/// The assignments of [Install], which say how the unit is enabled.
std::vector<std::string> install_section(const std::optional<std::string>& unit) {
  std::vector<std::string> result;
  if (unit) {
    for (const auto& assignment : exports::read_unit(*unit).assignments) {
      if (assignment.section == "Install") {
        result.push_back(assignment.key + "=" + assignment.value);
      }
    }
  }
  return result;
}

void note_files(int root, const host::Deployment& before, const Belongings& belongings, const InstallPlan& plan,
                SwitchNote& note) {
  std::set<std::string> staying;
  for (const auto& planned : plan.files) {
    const auto& path = planned.file.destination;
    if (plan.package) {
      break;  // the package manager creates them
    }
    if (is_there(root, planned)) {
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

/// A unit that the administrator disabled stays disabled; one without [Install] so far may get one.
void note_enablement(const host::UnitState& state, const std::optional<std::string>& old_unit,
                     const std::optional<std::string>& new_unit, SwitchNote& note) {
  const auto old_section = install_section(old_unit);
  const auto new_section = install_section(new_unit);
  note.was_enabled = state.unit_file_state == "enabled";
  note.enables = !new_section.empty() && (note.was_enabled || old_section.empty());
  note.relinks = note.was_enabled != note.enables || (note.enables && old_section != new_section);
}

/// What the container was rendered with and what a `--set` overrides; the forced ones are found anew.
exports::Values kept_values(const host::DeploymentInfo& info, const exports::Values& set) {
  auto values = info.values;
  std::erase_if(values, [](const auto& entry) { return exports::is_forced(entry.first); });
  for (const auto& [name, value] : set) {
    values.insert_or_assign(name, value);
  }
  return values;
}

std::string wanted_runtime(const host::DeploymentInfo& info, const exports::Values& values) {
  const auto found = values.find("RUNTIME");
  return found == values.end() ? info.runtime : found->second;
}

}  // namespace

PlanRequest request_of_update(const Session& session, const host::Deployment& before, const exports::Values& set,
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
  const auto root = base::open_host_folder(session.layout.root());
  for (const auto& path : deployment.info.installed_files) {
    const auto recorded = host::recorded_checksum(deployment.info, path);
    const auto now = recorded.empty() ? std::nullopt : host::host_checksum(root.get(), path);
    const bool packaged = !deployment.info.package.empty();  // then the package manager decides about edited ones
    if (recorded.empty() || now == recorded || packaged) {
      result.replaced.host_files.insert(path);
    }
    if (now && now != recorded && !recorded.empty() && (!packaged || path.starts_with("/etc/"))) {
      result.edited.push_back(path);
    }
  }
  if (const auto lines = host_text(root.get(), session.layout.tmpfiles_inside(deployment.name))) {
    const auto paths = exports::created_tmpfiles_paths(*lines);
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
  const auto root = base::open_host_folder(session.layout.root());
  const auto& name = before.name;
  const auto old_unit = host_text(root.get(), session.layout.unit_inside(name));
  SwitchNote note;
  note.operation = operation;
  note.name = name;
  note.boot_id = session.facts.boot_id;
  note.before = NotedDeployment{before.slot,
                                checksum_of(old_unit),
                                checksum_of(host_text(root.get(), session.layout.tmpfiles_inside(name))),
                                {},
                                {}};
  note.after = noted_deployment(plan);
  note.prepared = prepared;
  note.had_place = prepared && has_place(session, host::slot_name(name, plan.slot));
  note_files(root.get(), before, belongings, plan, note);
  const auto state = session.systemd.state(host::unit_name(name));
  note.was_active = host::is_active(state);
  note.starts = note.was_active && plan.unit;
  note_enablement(state, old_unit, plan.unit, note);
  note.tmpfiles_paths = plan.tmpfiles_paths;
  note.moves = volume_moves(session, before, plan.config, plan.info);
  note.fills = volumes_to_fill(session, plan, note.moves);
  std::erase_if(note.tmpfiles_paths, [&note](const std::string& path) {
    return std::any_of(note.moves.begin(), note.moves.end(), [&](const auto& move) { return move.to == path; });
  });
  const auto installed = base::read_file_at(AT_FDCWD, before.path + "/" + host::unit_name(name), deployment_text_limit);
  if (old_unit && installed && old_unit != installed) {
    session.reporter.warning(
        fmt::format("{} was edited and is replaced; put settings of your own into drop-ins beside it",
                    session.layout.unit_inside(name)));
  }
  for (const auto& path : belongings.edited) {
    session.reporter.warning(fmt::format("{} was edited and stays as it is", path));
  }
  return note;
}

void replace_deployment(Session& session, const SwitchNote& note, SwitchWork work, const GateOptions& gate,
                        const StepHook& hook) {
  work.gate = [&session, &gate, plan = work.plan] {
    pass_health_gate(session, plan->name, plan->runtime, plan->info.health_check, gate);
  };
  try {
    run_switch(session, note, work, hook);
  } catch (const Error& error) {
    if (error.kind() == ErrorKind::start_failed) {
      session.reporter.warning(fmt::format("the {} of {} failed and was rolled back", note.operation, note.name));
    }
    throw;
  }
}

}  // namespace berth::ops
