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

/// Directories of the deployment that is gone, as far as the new one does not use them and nobody put anything into
/// them.
void remove_old_directories(const Context& context, const SwitchRecord& note) {
  const auto root = open_root(context);
  for (auto file = note.before->files.rbegin(); file != note.before->files.rend(); ++file) {
    if (file->checksum.empty()) {
      host::remove_host_file(root.get(), file->path, "");
    }
  }
}

void drop_old_files(const Context& context, const SwitchRecord& note) {
  const auto& before = *note.before;
  drop_or_save(context, note.secret, context.layout.unit_in_root(note.name), note.saved_unit, before.unit);
  drop_or_save(context, note.secret, context.layout.tmpfiles_in_root(note.name), note.saved_tmpfiles, before.tmpfiles);
  for (const auto& file : note.before->files) {
    if (!file.checksum.empty()) {
      drop_backup(context, note.secret, file.path, file.checksum);
    }
  }
  for (const auto& directory : directories_in_the_way(note)) {
    drop_room(context, note, directory);
  }
  remove_old_directories(context, note);
}

/// The new ones are there, durably.
void drop_old_links(const Context& context, const SwitchRecord& note) {
  if (note.links_known) {
    remove_known_links(context, note.name, note.dropped_links);
    remove_empty(context, note.link_directories);
  } else if (note.relinks && note.was_enabled) {
    note.enables ? keep_links(context, note.name) : remove_links(context, note.name);
    remove_empty(context, note.link_directories);
  }
  drop_companion_links(context, note.companions);
}

/// Everything that cannot be taken back. May run several times.
void finish_switch(const Context& context, const SwitchRecord& note) {
  const auto directory = base::open_host_directory(context.layout.deployments());
  drop_old_links(context, note);
  drop_link_backup(context, note.name);
  if (note.before) {
    drop_old_files(context, note);
    remove_left_directories(context, note.moves);
    base::remove_tree_at(directory.get(), waiting_name(note.name));
  }
  if (note.after.unit.empty()) {
    // noContainerService: only the host files matter (contract, section 3).
    base::remove_tree_at(directory.get(), host::slot_name(note.name, note.after.slot) + "/rootfs");
  }
  host::remove_journal(context.layout, note.name);
}

/// @throws Error when something could not be taken back; the note stays for the next command
void take_back(Context& context, const SwitchRecord& note) {
  const auto steps = switch_steps(context, note, {});
  if (!undo_steps(steps, steps.size(), context.reporter)) {
    throw Error(ErrorKind::failed,
                fmt::format("the {} of {} could not be taken back completely", note.operation, note.name),
                "every berth command tries it again, and so does `berth recover`; the warnings say what is in the way");
  }
  host::remove_journal(context.layout, note.name);
}

/// What the note on disk says; true when nobody can tell.
bool is_committed(const Context& context, const std::string& name) noexcept {
  try {
    const auto json = host::read_journal(context.layout, name);
    const auto note = json ? switch_note(*json) : std::nullopt;
    return !note || note->committed;
  } catch (const std::exception&) {
    return true;
  }
}

/// A note that cannot be written, on a full disk, is the last moment to take everything back. It may have been written
/// none the less: then whoever reads it next has to find what it says.
void commit(Context& context, SwitchRecord& note, const std::vector<Step>& steps) {
  note.committed = true;
  try {
    host::write_journal(context.layout, note.name, to_json(note));
  } catch (const Error& error) {
    if (is_committed(context, note.name)) {
      throw IncompleteUndo(error);
    }
    undo_and_rethrow(steps, steps.size(), context.reporter);
  }
}

/// What is stopped with the service now comes back too, and after another boot nothing else.
void add_taken_along(const Context& context, SwitchRecord& note) {
  if (note.boot_id != context.facts.boot_id) {
    note.taken_along.clear();
  }
  auto units = active_names(note.companions);
  units.push_back(host::unit_name(note.name));
  for (auto& unit : context.systemd.stopped_with(units)) {
    if (std::find(note.taken_along.begin(), note.taken_along.end(), unit) == note.taken_along.end()) {
      note.taken_along.push_back(std::move(unit));
    }
  }
}

}  // namespace

NotedDeployment noted_deployment(const InstallPlan& plan) {
  NotedDeployment deployment;
  deployment.slot = plan.slot;
  deployment.unit = plan.unit ? base::digest_of(*plan.unit).hex() : "";
  deployment.package = noted_package(plan.info);
  deployment.tmpfiles = plan.tmpfiles ? base::digest_of(*plan.tmpfiles).hex() : "";
  return deployment;
}

void run_switch(Context& context, SwitchRecord note, const SwitchInputs& work, const StepHook& hook) {
  if (note.relinks && work.plan != nullptr) {
    note.link_directories = link_directories(context, note.name, work.plan->unit);
  }
  switch_note(to_json(note));  // what could not be read back could not be taken back either
  host::write_journal(context.layout, note.name, to_json(note));
  try {
    const auto steps = switch_steps(context, note, work);
    run_steps(steps, context.reporter, context.stop, hook);
    commit(context, note, steps);
  } catch (const IncompleteUndo&) {
    throw;  // and the note stays
  } catch (...) {
    host::remove_journal(context.layout, note.name);
    throw;
  }
  try {
    finish_switch(context, note);
  } catch (const base::Error& error) {
    context.reporter.warning(fmt::format("{}; the next berth command tries again", error.what()));
  }
}

void recover_switch(Context& context, SwitchRecord note) {
  if (note.committed) {
    context.reporter.step(fmt::format("finishing an interrupted {} of {}", note.operation, note.name));
    finish_switch(context, note);
    return;
  }
  context.reporter.step(fmt::format("taking back an interrupted {} of {}", note.operation, note.name));
  const bool active = host::is_active(context.systemd.state(host::unit_name(note.name)));
  if (note.boot_id != context.facts.boot_id) {
    note.was_active = note.before && active;
    for (auto& companion : note.companions) {
      companion.active = host::is_active(context.systemd.state(companion.name));
    }
  }
  note.starts = note.starts || active;  // whoever started it, it must not run without its files
  add_taken_along(context, note);
  take_back(context, note);
}

}  // namespace berth::ops
