#include "ops/change/removal.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include <utility>

#include "base/error.hpp"
#include "base/file.hpp"
#include "host/files/host_file.hpp"
#include "host/files/root_directory.hpp"
#include "host/state/deployment.hpp"
#include "host/state/transaction_journal.hpp"
#include "host/systemd/unit_file.hpp"
#include "ops/change/adoption.hpp"
#include "ops/footprint/companion_units.hpp"
#include "ops/footprint/host_file_backup.hpp"
#include "ops/footprint/installed_unit.hpp"
#include "ops/footprint/system_package.hpp"
#include "ops/footprint/unit_links.hpp"
#include "ops/live_link.hpp"
#include "ops/runtime/unit_job.hpp"

namespace berth::ops {

namespace {

using base::Error;
using base::ErrorKind;

/// A file of ours, or the link that an administrator put in its place.
Step aside_step(Session& session, const UninstallNote& note, const std::string& path) {
  return {fmt::format("remove {}", path),
          [&session, &note, path] {
            const auto root = open_root(session);
            if (host::host_exists(root.get(), path) && !host::host_checksum(root.get(), path)) {
              session.reporter.warning(path + " is no file that berth made, and stays");
              return;
            }
            put_aside(session, note.secret, path);
          },
          [&session, &note, path] { put_back(session, note.secret, path); }};
}

/// Whether another user could have led us astray: then the file stays, and nothing keeps the container from going.
bool out_of_reach(const Session& session, int root, const std::string& path) {
  const auto danger = host::danger_on_the_way(root, path);
  if (danger) {
    session.reporter.warning(fmt::format("{} is left as it is: {}", path, danger->what()));
  }
  return danger.has_value();
}

/// A host file is removed only while it is what was recorded; an edited one stays and is reported.
Step host_file_step(Session& session, const UninstallNote& note, const NotedFile& file,
                    std::vector<std::string>& kept) {
  return {fmt::format("remove {}", file.path),
          [&session, &note, file, &kept] {
            const auto root = open_root(session);
            if (out_of_reach(session, root.get(), file.path)) {
              return;
            }
            const auto now = host::host_checksum(root.get(), file.path);
            if (now == file.checksum) {
              put_aside(session, note.secret, file.path);
            } else if (now) {
              kept.push_back(file.path);
            }
          },
          [&session, &note, path = file.path] {
            if (!out_of_reach(session, open_root(session).get(), path)) {
              put_back(session, note.secret, path);
            }
          }};
}

/// Whether the links are all that its [Install] section asks for, so that they need not be made by systemd.
bool links_suffice(const Session& session, const std::string& name) {
  try {
    return wanted_links(session, name).not_followed.empty();
  } catch (const Error&) {
    return false;
  }
}

/// Units that came with the host files first: sockets and timers would start the service again.
Step stop_step(Session& session, const UninstallNote& note) {
  const auto unit = host::unit_name(note.name);
  return {fmt::format("stop {}", unit),
          [&session, &note, unit] {
            stop_companions(session, note.companions);
            if (note.has_unit && !session.layout.offline()) {
              stop_or_throw(session, unit);
            }
          },
          [&session, &note, unit] {
            session.systemd.reload();
            restore_companions(session, note.companions);
            take_stop_back(session, unit, note.was_active, note.invocation, note.taken_along);
          }};
}

/// Something else may have started it before its file was gone, or even while it was stopped.
void see_that_nothing_runs(Session& session, const UninstallNote& note) {
  if (!session.layout.offline()) {
    stop_for_good(session, host::unit_name(note.name));
    delete_left_container(session, note.runtime, note.name);
  }
}

void add_unit_steps(std::vector<Step>& steps, Session& session, const UninstallNote& note) {
  const auto unit = host::unit_name(note.name);
  steps.push_back({fmt::format("disable {}", unit),
                   [&session, &note, unit] {
                     put_links_aside(session, note.secret, note.links);
                     session.systemd.disable(unit);  // and what its [Install] section names besides
                   },
                   [&session, &note, unit] {
                     put_links_back(session, note.secret, note.links);
                     if (note.was_enabled && !links_suffice(session, note.name)) {
                       session.systemd.enable(unit);
                     }
                   }});
  // First of all files, so that nobody can start it again.
  steps.push_back(aside_step(session, note, session.layout.unit_inside(note.name)));
  steps.push_back({"have systemd forget the unit",
                   [&session, &note, unit] {
                     session.systemd.reload();
                     see_that_nothing_runs(session, note);
                     session.systemd.reset_failed(unit);
                   },
                   {}});
}

Step link_step(Session& session, const std::string& name) {
  return {fmt::format("remove the link {}", name), [&session, name] { put_link_aside(session, name); },
          [&session, name] { put_link_back(session, name); }};
}

std::vector<Step> uninstall_steps(Session& session, const UninstallNote& note, std::vector<std::string>& kept) {
  std::vector<Step> steps;
  if (note.has_unit || !note.companions.empty()) {
    steps.push_back(stop_step(session, note));
  }
  if (note.has_unit) {
    add_unit_steps(steps, session, note);
  }
  for (auto file = note.files.rbegin(); file != note.files.rend(); ++file) {
    if (!file->checksum.empty()) {
      steps.push_back(host_file_step(session, note, *file, kept));
    }
  }
  if (!note.package.name.empty()) {
    steps.push_back({fmt::format("remove the package {}", note.package.name),
                     [&session, &note, &kept] {
                       const auto edited = remove_package(session, note.package);
                       kept.insert(kept.end(), edited.begin(), edited.end());
                     },
                     [&session, &note] { install_package(session, note.name, note.slot); }});
  }
  if (!note.companions.empty()) {
    steps.push_back({"have systemd forget the units of the host files", [&session] { session.systemd.reload(); }, {}});
  }
  steps.push_back(aside_step(session, note, session.layout.tmpfiles_inside(note.name)));
  return steps;
}

/// systemd-tmpfiles --remove needs the lines, which only the deployments still have.
void remove_tmpfiles(Session& session, int folder, const std::string& name) {
  for (const auto* slot : {".0", ".1"}) {
    const auto conf = fmt::format("{}{}/tmpfiles-{}.conf", name, slot, name);
    const auto status = base::stat_at(folder, name + slot) ? base::stat_at(folder, conf) : std::nullopt;
    if (status && S_ISREG(status->st_mode)) {
      try {
        session.systemd.remove_tmpfiles(session.layout.deployments_inside() + "/" + conf);
      } catch (const Error& error) {
        session.reporter.warning(error.what());
      }
    }
  }
}

void drop_host_files(const Session& session, const UninstallNote& note) {
  const auto root = open_root(session);
  drop_links_aside(session, note.secret, note.links);
  if (note.has_unit) {  // those that came meanwhile
    host::remove_unit_links(root.get(), host::unit_name(note.name), {}, session.layout.units_inside());
  }
  drop_companion_links(session, note.companions);
  drop_or_save(session, note.secret, session.layout.unit_inside(note.name), note.saved_unit, "");
  drop_or_save(session, note.secret, session.layout.tmpfiles_inside(note.name), note.saved_tmpfiles, "");
  for (auto file = note.files.rbegin(); file != note.files.rend(); ++file) {
    if (host::danger_on_the_way(root.get(), file->path)) {
      continue;  // as its step said
    }
    if (file->checksum.empty()) {
      host::remove_host_file(root.get(), file->path, "");
    } else {
      drop_aside(session, note.secret, file->path, file->checksum);
    }
  }
}

/// The link goes first of all, for without a note it is what says which host files there were.
void drop_deployments(const Session& session, int folder, const std::string& name) {
  if (base::read_link_at(folder, name)) {
    base::unlink_at(folder, name);
  }
  drop_link_aside(session, name);
  for (const auto* slot : {".0", ".1"}) {
    const auto found = base::stat_at(folder, name + slot);
    if (found && S_ISDIR(found->st_mode)) {  // a link of that name is another container
      base::remove_tree_at(folder, name + slot);
    }
  }
  remove_adopted_links(session, name);
}

/// Everything that cannot be taken back. May run several times.
void finish(Session& session, const UninstallNote& note) {
  const auto folder = base::open_host_folder(session.layout.deployments());
  remove_tmpfiles(session, folder.get(), note.name);
  drop_host_files(session, note);
  drop_deployments(session, folder.get(), note.name);
  if (!note.pid_file.empty()) {
    base::unlink_at(AT_FDCWD, session.layout.on_disk(note.pid_file));  // systemd removes it only with its own stop
  }
  host::remove_journal(session.layout, note.name);
}

/// A disk without room for a note must not keep a container from being removed, which makes room. When such an
/// uninstall is killed, it is done again by hand.
/// @return whether there is a note
bool write_note(const Session& session, const UninstallNote& note) {
  try {
    host::write_journal(session.layout, note.name, to_json(note));
    return true;
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::failed) {
      throw;
    }
    return false;
  }
}

}  // namespace

UninstallOutcome remove_container(Session& session, UninstallNote note, const StepHook& hook) {
  UninstallOutcome outcome;
  const bool noted = write_note(session, note);
  if (!noted) {
    note.secret.clear();  // what waits aside must be found by names that need no note
  }
  auto steps = uninstall_steps(session, note, outcome.kept_files);
  if (noted) {
    steps.push_back(link_step(session, note.name));
  }
  try {
    run_steps(steps, session.reporter, session.stop, hook);
  } catch (const IncompleteUndo&) {
    throw;  // the note stays, by which the next command completes the uninstall
  } catch (...) {
    host::remove_journal(session.layout, note.name);
    throw;
  }
  note.committed = true;
  if (noted) {
    write_note(session, note);  // an uninstall without this word is completed as well
  }
  finish(session, note);
  outcome.stopped_units = note.taken_along;
  for (const auto& saved : {note.saved_unit, note.saved_tmpfiles}) {
    if (!saved.empty()) {
      outcome.saved_texts.push_back(saved);
    }
  }
  return outcome;
}

UninstallOutcome complete_uninstall(Session& session, const UninstallNote& note) {
  UninstallOutcome outcome;
  if (!note.committed) {
    auto steps = uninstall_steps(session, note, outcome.kept_files);
    steps.push_back(link_step(session, note.name));
    for (const auto& step : steps) {
      check_stop(session.stop);
      step.apply();
    }
  }
  finish(session, note);
  return outcome;
}

}  // namespace berth::ops
