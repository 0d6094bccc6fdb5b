#include "ops/containers/uninstall.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <iterator>

#include "base/error.hpp"
#include "base/file.hpp"
#include "host/machine/facts.hpp"
#include "host/state/deployment.hpp"
#include "host/state/transaction_journal.hpp"
#include "ops/change/recover.hpp"
#include "ops/footprint/companion_units.hpp"
#include "ops/footprint/host_file_handover.hpp"
#include "ops/footprint/installed_unit.hpp"
#include "ops/footprint/leftovers.hpp"
#include "ops/footprint/system_package.hpp"
#include "ops/footprint/unit_links.hpp"
#include "ops/plan/shared_host_files.hpp"
#include "ops/runtime/one_off.hpp"

namespace berth::ops {

namespace {

using base::Error;
using base::ErrorKind;

/// But for those that another container has, too.
std::vector<NotedFile> recorded_files(const Context& context, const std::string& name,
                                      const host::DeploymentInfo& info) {
  const OthersFiles others(context.layout, name);
  std::vector<NotedFile> files;
  for (const auto& path : info.installed_files) {
    const auto checksum = host::recorded_checksum(info, path);
    auto owner = others.owner(path, checksum);
    if (owner.empty()) {
      owner = hand_over(context, name, {path, checksum});
    }
    if (owner.empty()) {
      files.push_back({path, checksum});
      for (const auto& other : left_without(context, name, files.back())) {
        context.reporter.warning(left_without_words(path, other));
      }
    } else if (!checksum.empty()) {
      context.reporter.step(fmt::format("{} stays: {} has it, too", path, owner));
    }
  }
  return files;
}

/// What the info file of the live deployment says; a damaged one must not keep a container from being removed.
host::DeploymentInfo readable_info(Context& context, const std::string& name) {
  try {
    if (auto deployment = host::find_deployment(context.layout, name)) {
      if (deployment->preinstalled) {
        throw Error(ErrorKind::not_permitted, fmt::format("{} is part of the operating system", name),
                    fmt::format("it goes with the system image that brought it; `systemctl mask --now {}` keeps it "
                                "from running",
                                name));
      }
      return deployment->info;
    }
  } catch (const Error& error) {
    if (error.kind() == ErrorKind::not_permitted) {
      throw;
    }
    context.reporter.warning(fmt::format("{}; its host files stay", error.what()));
  }
  return {};
}

bool anything_left(const Context& context, const std::string& name) {
  const auto is_directory = [&context](const std::string& path) {
    const auto found = base::stat_at(AT_FDCWD, context.layout.deployments() + "/" + path);
    return found && S_ISDIR(found->st_mode);
  };
  const auto link = base::stat_at(AT_FDCWD, context.layout.deployments() + "/" + name);
  return (link && S_ISLNK(link->st_mode)) || is_directory(name + ".0") || is_directory(name + ".1");
}

/// That of the default unit; any other file that an image names may be anybody's.
std::string pid_file_of(const Context& context, const std::string& name, const host::DeploymentInfo& info) {
  const auto found = info.values.find("PIDFILE");
  const auto ours = fmt::format("{}/container-{}.pid", context.layout.runtime_in_root(), name);
  return found != info.values.end() && found->second == ours ? ours : "";
}

/// Other units that are stopped, and what an administrator wrote into our files.
void note_neighbours(Context& context, const host::DeploymentInfo& info, UninstallNote& note) {
  auto going = info.installed_files;
  if (note.package.name.empty()) {  // not those that another container has, too
    going.clear();
    std::transform(note.files.begin(), note.files.end(), std::back_inserter(going),
                   [](const NotedFile& file) { return file.path; });
  }
  note.companions = companion_units(context, going, [](const std::string&) { return false; });
  if (!note.has_unit) {
    return;
  }
  auto units = active_names(note.companions);
  units.push_back(host::unit_name(note.name));
  note.taken_along = context.systemd.stopped_with(units);
  if (const auto slot = host::current_slot(context.layout, note.name)) {
    host::Deployment live;
    live.name = note.name;
    live.path = fmt::format("{}/{}", context.layout.deployments(), host::slot_name(note.name, *slot));
    const auto saved = saved_texts(context, live);
    note.saved_unit = saved.unit;
    note.saved_tmpfiles = saved.tmpfiles;
  }
}

UninstallNote make_note(Context& context, const std::string& name) {
  UninstallNote note;
  note.name = name;
  note.secret = host::random_uuid();
  const auto info = readable_info(context, name);
  const auto unit = host::unit_name(name);
  note.has_unit = info.has_container_service;
  note.package = noted_package(info);
  note.slot = host::current_slot(context.layout, name).value_or(0);
  if (note.package.name.empty()) {
    note.files = recorded_files(context, name, info);
  }
  if (note.has_unit) {
    const auto state = context.systemd.state(unit);
    note.was_active = host::is_active(state);
    note.was_enabled = state.unit_file_state == "enabled";
    note.links = all_links(context, name);
    note.invocation = state.invocation_id;
    note.runtime = noted_runtime(info);
    note.pid_file = pid_file_of(context, name, info);
  }
  note_neighbours(context, info, note);
  return note;
}

}  // namespace

UninstallOutcome uninstall(Context& context, const std::string& name, const StepHook& hook) {
  host::check_container_name(name);
  const bool pending = host::read_journal(context.layout, name).has_value();
  recover_pending(context);
  if (!anything_left(context, name) && !pending) {
    readable_info(context, name);  // says so when it is preinstalled
    host::throw_not_installed(name);
  }
  const auto lock = lock_container(context, name);
  if (!anything_left(context, name)) {
    return {};  // another command, or the recovery, was faster
  }
  refuse_while_one_off_runs(context, {name + ".0", name + ".1"});
  const Leftovers leftovers(context, name);
  auto outcome = base::in_context([&] { return fmt::format("uninstalling {}", name); },
                                  [&] { return remove_container(context, make_note(context, name), hook); });
  outcome.remarks = leftovers.remarks();
  return outcome;
}

}  // namespace berth::ops
