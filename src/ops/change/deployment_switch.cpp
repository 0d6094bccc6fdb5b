// SPDX-License-Identifier: LGPL-2.1-or-later
#include "ops/change/deployment_switch.hpp"
#include "ops/deployments_directory.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/digest.hpp"
#include "base/error.hpp"
#include "base/file.hpp"
#include "host/files/host_file.hpp"
#include "host/state/transaction_journal.hpp"
#include "ops/footprint/companion_units.hpp"
#include "ops/footprint/enablement.hpp"
#include "ops/footprint/host_file_backup.hpp"
#include "ops/footprint/installed_unit.hpp"
#include "ops/footprint/replaced_directories.hpp"
#include "ops/footprint/system_package.hpp"
#include "ops/footprint/unit_links.hpp"
#include "ops/footprint/volumes.hpp"
#include "ops/live_link.hpp"

namespace berth::ops {

namespace {

using base::Error;
using base::ErrorKind;

/// Removes directories of the replaced deployment that are empty: the new one does not use them.
void remove_old_directories(const Context& context, const SwitchRecord& record) {
  const auto root = open_root(context);
  for (auto file = record.before->files.rbegin(); file != record.before->files.rend(); ++file) {
    if (file->checksum.empty()) {
      host::remove_host_file(root.get(), file->path, "");
    }
  }
}

void drop_old_files(const Context& context, const SwitchRecord& record) {
  const auto& before = *record.before;
  drop_or_save(context, record.secret, context.layout.unit_in_root(record.name), record.saved_unit, before.unit);
  drop_or_save(context, record.secret, context.layout.tmpfiles_in_root(record.name), record.saved_tmpfiles,
               before.tmpfiles);
  for (const auto& file : record.before->files) {
    if (!file.checksum.empty()) {
      drop_backup(context, record.secret, file.path, file.checksum);
    }
  }
  for (const auto& directory : replaced_directories(record)) {
    drop_replaced_directory(context, record, directory);
  }
  remove_old_directories(context, record);
}

/// Removes links that enabled the replaced deployment. The links of the new one are durable.
void drop_old_links(const Context& context, const SwitchRecord& record) {
  if (record.links_known) {
    remove_known_links(context, record.name, record.dropped_links);
    remove_empty(context, record.link_directories);
  } else if (record.relinks && record.was_enabled) {
    record.enables ? keep_wanted_links(context, record.name) : remove_links(context, record.name);
    remove_empty(context, record.link_directories);
  }
  drop_companion_links(context, record.companions);
}

/// The part of a switch that cannot be undone. May run several times.
void finish_switch(const Context& context, const SwitchRecord& record) {
  const auto directory = open_deployments(context);
  drop_old_links(context, record);
  drop_link_backup(context, record.name);
  if (record.before) {
    drop_old_files(context, record);
    remove_left_directories(context, record.moves);
    base::remove_tree_at(directory.get(), waiting_name(record.name));
  }
  if (record.after.unit.empty()) {
    // noContainerService: only the host files are used, docs/system-containers.md, "manifest.json".
    base::remove_tree_at(directory.get(), host::slot_name(record.name, record.after.slot) + "/rootfs");
  }
  host::remove_journal(context.layout, record.name);
}

/// @throws Error(failed) when something could not be undone; the record is kept for the next command
void undo_switch(Context& context, const SwitchRecord& record) {
  const auto steps = switch_steps(context, record, {});
  if (!undo_steps(steps, steps.size(), context.reporter)) {
    throw Error(ErrorKind::failed,
                fmt::format("the {} of {} could not be undone completely", record.operation, record.name),
                "every berth command tries again, as does `berth recover`; the warnings name the cause");
  }
  host::remove_journal(context.layout, record.name);
}

/// Whether the record on disk is committed; true when it cannot be read.
bool is_committed(const Context& context, const std::string& name) noexcept {
  try {
    const auto json = host::read_journal(context.layout, name);
    const auto record = json ? parse_switch_record(*json) : std::nullopt;
    return !record || record->committed;
  } catch (const std::exception&) {
    return true;
  }
}

/// Marks the record as committed. When it cannot be written, e.g. on a full disk, everything is undone, unless the mark
/// reached the disk none the less: then the next command finishes the switch.
void commit(Context& context, SwitchRecord& record, const std::vector<Step>& steps) {
  record.committed = true;
  try {
    host::write_journal(context.layout, record.name, to_json(record));
  } catch (const Error& error) {
    if (is_committed(context, record.name)) {
      throw IncompleteUndo(error);
    }
    undo_and_rethrow(steps, steps.size(), context.reporter);
  }
}

/// Adds units that the undo will stop with the service, so that they are started again. After a reboot only those
/// count.
void add_taken_along(const Context& context, SwitchRecord& record) {
  if (record.boot_id != context.facts.boot_id) {
    record.taken_along.clear();
  }
  auto units = active_names(record.companions);
  units.push_back(host::unit_name(record.name));
  for (auto& unit : context.systemd.stopped_with(units)) {
    if (std::find(record.taken_along.begin(), record.taken_along.end(), unit) == record.taken_along.end()) {
      record.taken_along.push_back(std::move(unit));
    }
  }
}

}  // namespace

RecordedDeployment recorded_deployment(const InstallPlan& plan) {
  RecordedDeployment deployment;
  deployment.slot = plan.slot;
  deployment.unit = plan.unit ? base::digest_of(*plan.unit).hex() : "";
  deployment.package = recorded_package(plan.info);
  deployment.tmpfiles = plan.tmpfiles ? base::digest_of(*plan.tmpfiles).hex() : "";
  return deployment;
}

void run_switch(Context& context, SwitchRecord record, const SwitchInputs& work, const StepHook& hook) {
  if (record.relinks && work.plan != nullptr) {
    record.link_directories = link_directories(context, record.name, work.plan->unit);
  }
  parse_switch_record(to_json(record));  // a record that cannot be parsed could not be undone
  host::write_journal(context.layout, record.name, to_json(record));
  try {
    const auto steps = switch_steps(context, record, work);
    run_steps(record.name, steps, context.reporter, context.stop, hook);
    commit(context, record, steps);
  } catch (const RecordStays&) {
    throw;  // the record is kept
  } catch (...) {
    host::remove_journal(context.layout, record.name);
    throw;
  }
  try {
    finish_switch(context, record);
  } catch (const base::Error& error) {
    context.reporter.warning(fmt::format("{}; the next berth command tries again", error.what()));
  }
}

void recover_switch(Context& context, SwitchRecord record) {
  if (record.committed) {
    context.reporter.step(fmt::format("finishing an interrupted {} of {}", record.operation, record.name));
    finish_switch(context, record);
    return;
  }
  context.reporter.step(fmt::format("undoing an interrupted {} of {}", record.operation, record.name));
  const bool active = host::is_active(context.systemd.state(host::unit_name(record.name)));
  if (record.boot_id != context.facts.boot_id) {
    record.was_active = record.before && active;
    for (auto& companion : record.companions) {
      companion.active = host::is_active(context.systemd.state(companion.name));
    }
  }
  record.starts = record.starts || active;  // an undo removes its files, so that it must not run
  add_taken_along(context, record);
  undo_switch(context, record);
}

}  // namespace berth::ops
