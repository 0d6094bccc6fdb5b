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

/// Folders of the deployment that is gone, as far as the new one does not use them and nobody put anything into them.
void remove_old_folders(const Session& session, const SwitchNote& note) {
  const auto root = open_root(session);
  for (auto file = note.before->files.rbegin(); file != note.before->files.rend(); ++file) {
    if (file->checksum.empty()) {
      host::remove_host_file(root.get(), file->path, "");
    }
  }
}

void drop_old_files(const Session& session, const SwitchNote& note) {
  const auto& before = *note.before;
  drop_or_save(session, note.secret, session.layout.unit_inside(note.name), note.saved_unit, before.unit);
  drop_or_save(session, note.secret, session.layout.tmpfiles_inside(note.name), note.saved_tmpfiles, before.tmpfiles);
  for (const auto& file : note.before->files) {
    if (!file.checksum.empty()) {
      drop_aside(session, note.secret, file.path, file.checksum);
    }
  }
  for (const auto& folder : folders_in_the_way(note)) {
    drop_room(session, note, folder);
  }
  remove_old_folders(session, note);
}

/// The new ones are there, durably.
void drop_old_links(const Session& session, const SwitchNote& note) {
  if (note.links_known) {
    remove_known_links(session, note.name, note.dropped_links);
    remove_empty(session, note.link_folders);
  } else if (note.relinks && note.was_enabled) {
    note.enables ? keep_links(session, note.name) : remove_links(session, note.name);
    remove_empty(session, note.link_folders);
  }
  drop_companion_links(session, note.companions);
}

/// Everything that cannot be taken back. May run several times.
void finish_switch(const Session& session, const SwitchNote& note) {
  const auto folder = base::open_host_folder(session.layout.deployments());
  drop_old_links(session, note);
  drop_link_aside(session, note.name);
  if (note.before) {
    drop_old_files(session, note);
    remove_left_folders(session, note.moves);
    base::remove_tree_at(folder.get(), waiting_name(note.name));
  }
  if (note.after.unit.empty()) {
    // noContainerService: only the host files matter (contract, section 3).
    base::remove_tree_at(folder.get(), host::slot_name(note.name, note.after.slot) + "/rootfs");
  }
  host::remove_journal(session.layout, note.name);
}

/// @throws Error when something could not be taken back; the note stays for the next command
void take_back(Session& session, const SwitchNote& note) {
  const auto steps = switch_steps(session, note, {});
  if (!undo_steps(steps, steps.size(), session.reporter)) {
    throw Error(ErrorKind::failed,
                fmt::format("the {} of {} could not be taken back completely", note.operation, note.name),
                "every berth command tries it again, and so does `berth recover`; the warnings say what is in the way");
  }
  host::remove_journal(session.layout, note.name);
}

/// What the note on disk says; true when nobody can tell.
bool is_committed(const Session& session, const std::string& name) noexcept {
  try {
    const auto json = host::read_journal(session.layout, name);
    const auto note = json ? switch_note(*json) : std::nullopt;
    return !note || note->committed;
  } catch (const std::exception&) {
    return true;
  }
}

/// A note that cannot be written, on a full disk, is the last moment to take everything back. It may have been written
/// none the less: then whoever reads it next has to find what it says.
void commit(Session& session, SwitchNote& note, const std::vector<Step>& steps) {
  note.committed = true;
  try {
    host::write_journal(session.layout, note.name, to_json(note));
  } catch (const Error& error) {
    if (is_committed(session, note.name)) {
      throw IncompleteUndo(error);
    }
    undo_and_rethrow(steps, steps.size(), session.reporter);
  }
}

/// What is stopped with the service now comes back too, and after another boot nothing else.
void add_taken_along(const Session& session, SwitchNote& note) {
  if (note.boot_id != session.facts.boot_id) {
    note.taken_along.clear();
  }
  auto units = active_names(note.companions);
  units.push_back(host::unit_name(note.name));
  for (auto& unit : session.systemd.stopped_with(units)) {
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

void run_switch(Session& session, SwitchNote note, const SwitchWork& work, const StepHook& hook) {
  if (note.relinks && work.plan != nullptr) {
    note.link_folders = link_folders(session, note.name, work.plan->unit);
  }
  switch_note(to_json(note));  // what could not be read back could not be taken back either
  host::write_journal(session.layout, note.name, to_json(note));
  try {
    const auto steps = switch_steps(session, note, work);
    run_steps(steps, session.reporter, session.stop, hook);
    commit(session, note, steps);
  } catch (const IncompleteUndo&) {
    throw;  // and the note stays
  } catch (...) {
    host::remove_journal(session.layout, note.name);
    throw;
  }
  try {
    finish_switch(session, note);
  } catch (const base::Error& error) {
    session.reporter.warning(fmt::format("{}; the next berth command tries again", error.what()));
  }
}

void recover_switch(Session& session, SwitchNote note) {
  if (note.committed) {
    session.reporter.step(fmt::format("finishing an interrupted {} of {}", note.operation, note.name));
    finish_switch(session, note);
    return;
  }
  session.reporter.step(fmt::format("taking back an interrupted {} of {}", note.operation, note.name));
  const bool active = host::is_active(session.systemd.state(host::unit_name(note.name)));
  if (note.boot_id != session.facts.boot_id) {
    note.was_active = note.before && active;
    for (auto& companion : note.companions) {
      companion.active = host::is_active(session.systemd.state(companion.name));
    }
  }
  note.starts = note.starts || active;  // whoever started it, it must not run without its files
  add_taken_along(session, note);
  take_back(session, note);
}

}  // namespace berth::ops
