// SPDX-License-Identifier: LGPL-2.1-or-later
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

/// @return the recorded host files, without those that another container has, too
std::vector<RecordedFile> recorded_files(const Context& context, const std::string& name,
                                         const host::DeploymentInfo& info) {
  const OtherContainersFiles others(context.layout, name);
  std::vector<RecordedFile> files;
  for (const auto& path : info.installed_files) {
    const auto checksum = host::recorded_checksum(info, path);
    auto owner = others.owner(path, checksum);
    if (owner.empty()) {
      owner = hand_over(context, name, {path, checksum});
    }
    if (owner.empty()) {
      files.push_back({path, checksum});
      for (const auto& other : left_without(context, name, files.back())) {
        context.reporter.warning(describe_left_without(path, other));
      }
    } else if (!checksum.empty()) {
      context.reporter.step(fmt::format("{} is kept: {} has it, too", path, owner));
    }
  }
  return files;
}

/// Reads the info of the live deployment. A damaged info must not prevent the removal of the container.
host::DeploymentInfo readable_info(Context& context, const std::string& name) {
  try {
    if (auto deployment = host::find_deployment(context.layout, name)) {
      if (deployment->preinstalled) {
        throw Error(
            ErrorKind::not_permitted, fmt::format("{} is part of the operating system", name),
            fmt::format("it is removed with the system image that contains it; `systemctl mask --now {}` prevents it "
                        "from running",
                        name));
      }
      return deployment->info;
    }
  } catch (const Error& error) {
    if (error.kind() == ErrorKind::not_permitted) {
      throw;
    }
    context.reporter.warning(fmt::format("{}; its host files are kept", error.what()));
  }
  return {};
}

bool has_remains(const Context& context, const std::string& name) {
  const auto path = context.layout.deployments() + "/" + name;
  const auto link = base::stat_at(AT_FDCWD, path);
  return (link && S_ISLNK(link->st_mode)) || base::is_directory_at(AT_FDCWD, path + ".0") ||
         base::is_directory_at(AT_FDCWD, path + ".1");
}

/// @return the PID file of the default unit; empty for another PID file, which may belong to another program
std::string pid_file_of(const Context& context, const std::string& name, const host::DeploymentInfo& info) {
  const auto found = info.values.find("PIDFILE");
  const auto ours = fmt::format("{}/container-{}.pid", context.layout.runtime_in_root(), name);
  return found != info.values.end() && found->second == ours ? ours : "";
}

/// Records other units that are stopped, and edited files that are kept.
void record_companions(Context& context, const host::DeploymentInfo& info, UninstallRecord& record) {
  auto removed = info.installed_files;
  if (record.package.name.empty()) {  // without those that another container has, too
    removed.clear();
    std::transform(record.files.begin(), record.files.end(), std::back_inserter(removed),
                   [](const RecordedFile& file) { return file.path; });
  }
  record.companions = companion_units(context, removed, [](const std::string&) { return false; });
  if (!record.has_unit) {
    return;
  }
  auto units = active_names(record.companions);
  units.push_back(host::unit_name(record.name));
  record.taken_along = context.systemd.stopped_with(units);
  if (const auto slot = host::current_slot(context.layout, record.name)) {
    host::Deployment live;
    live.name = record.name;
    live.path = fmt::format("{}/{}", context.layout.deployments(), host::slot_name(record.name, *slot));
    const auto saved = saved_texts(context, live);
    record.saved_unit = saved.unit;
    record.saved_tmpfiles = saved.tmpfiles;
  }
}

UninstallRecord make_record(Context& context, const std::string& name) {
  UninstallRecord record;
  record.name = name;
  record.secret = host::random_uuid();
  const auto info = readable_info(context, name);
  const auto unit = host::unit_name(name);
  record.has_unit = info.has_container_service;
  record.package = recorded_package(info);
  record.slot = host::current_slot(context.layout, name).value_or(0);
  if (record.package.name.empty()) {
    record.files = recorded_files(context, name, info);
  }
  if (record.has_unit) {
    const auto state = context.systemd.state(unit);
    record.was_active = host::is_active(state);
    record.was_enabled = state.unit_file_state == "enabled";
    record.links = all_links(context, name);
    record.invocation = state.invocation_id;
    record.runtime = recorded_runtime(info);
    record.pid_file = pid_file_of(context, name, info);
  }
  record_companions(context, info, record);
  return record;
}

}  // namespace

UninstallOutcome uninstall(Context& context, const std::string& name, const StepHook& hook) {
  auto outcome = uninstall_if_installed(context, name, hook);
  if (!outcome) {
    host::throw_not_installed(name);
  }
  outcome->shows_preinstalled = host::is_preinstalled(context.layout, name);
  return std::move(*outcome);
}

std::optional<UninstallOutcome> uninstall_if_installed(Context& context, const std::string& name,
                                                       const StepHook& hook) {
  host::check_container_name(name);
  const bool pending = host::read_journal(context.layout, name).has_value();
  recover_pending(context);
  if (!has_remains(context, name) && !pending) {
    readable_info(context, name);  // throws when it is preinstalled
    return std::nullopt;
  }
  const auto lock = lock_container(context, name);
  if (!has_remains(context, name)) {
    return UninstallOutcome{name};  // removed by another command, or by the recovery
  }
  refuse_while_one_off_runs(context, {name + ".0", name + ".1"});
  const Leftovers leftovers(context, name);
  auto outcome = base::in_context([&] { return fmt::format("uninstalling {}", name); },
                                  [&] { return remove_container(context, make_record(context, name), hook); });
  outcome.remarks = leftovers.remarks();
  return outcome;
}

}  // namespace berth::ops
