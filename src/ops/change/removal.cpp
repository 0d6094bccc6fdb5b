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
Step backup_step(Context& context, const UninstallNote& note, const std::string& path) {
  return {fmt::format("remove {}", path),
          [&context, &note, path] {
            const auto root = open_root(context);
            if (host::host_exists(root.get(), path) && !host::host_checksum(root.get(), path)) {
              context.reporter.warning(path + " is no file that berth made, and stays");
              return;
            }
            back_up(context, note.secret, path);
          },
          [&context, &note, path] { put_back(context, note.secret, path); }};
}

/// Whether another user could have led us astray: then the file stays, and nothing keeps the container from going.
bool out_of_reach(const Context& context, int root, const std::string& path) {
  const auto danger = host::danger_on_the_way(root, path);
  if (danger) {
    context.reporter.warning(fmt::format("{} is left as it is: {}", path, danger->what()));
  }
  return danger.has_value();
}

/// A host file is removed only while it is what was recorded; an edited one stays and is reported.
Step host_file_step(Context& context, const UninstallNote& note, const NotedFile& file,
                    std::vector<std::string>& kept) {
  return {fmt::format("remove {}", file.path),
          [&context, &note, file, &kept] {
            const auto root = open_root(context);
            if (out_of_reach(context, root.get(), file.path)) {
              return;
            }
            const auto now = host::host_checksum(root.get(), file.path);
            if (now == file.checksum) {
              back_up(context, note.secret, file.path);
            } else if (now) {
              kept.push_back(file.path);
            }
          },
          [&context, &note, path = file.path] {
            if (!out_of_reach(context, open_root(context).get(), path)) {
              put_back(context, note.secret, path);
            }
          }};
}

/// Whether the links are all that its [Install] section asks for, so that they need not be made by systemd.
bool links_suffice(const Context& context, const std::string& name) {
  try {
    return wanted_links(context, name).not_followed.empty();
  } catch (const Error&) {
    return false;
  }
}

/// Units that came with the host files first: sockets and timers would start the service again.
Step stop_step(Context& context, const UninstallNote& note) {
  const auto unit = host::unit_name(note.name);
  return {fmt::format("stop {}", unit),
          [&context, &note, unit] {
            stop_companions(context, note.companions);
            if (note.has_unit && !context.layout.offline()) {
              stop_or_throw(context, unit);
            }
          },
          [&context, &note, unit] {
            context.systemd.reload();
            restore_companions(context, note.companions);
            take_stop_back(context, unit, note.was_active, note.invocation, note.taken_along);
          }};
}

/// Something else may have started it before its file was gone, or even while it was stopped.
void see_that_nothing_runs(Context& context, const UninstallNote& note) {
  if (!context.layout.offline()) {
    stop_for_good(context, host::unit_name(note.name));
    delete_left_container(context, note.runtime, note.name);
  }
}

void add_unit_steps(std::vector<Step>& steps, Context& context, const UninstallNote& note) {
  const auto unit = host::unit_name(note.name);
  steps.push_back({fmt::format("disable {}", unit),
                   [&context, &note, unit] {
                     back_up_links(context, note.secret, note.links);
                     context.systemd.disable(unit);  // and what its [Install] section names besides
                   },
                   [&context, &note, unit] {
                     put_links_back(context, note.secret, note.links);
                     if (note.was_enabled && !links_suffice(context, note.name)) {
                       context.systemd.enable(unit);
                     }
                   }});
  // First of all files, so that nobody can start it again.
  steps.push_back(backup_step(context, note, context.layout.unit_in_root(note.name)));
  steps.push_back({"have systemd forget the unit",
                   [&context, &note, unit] {
                     context.systemd.reload();
                     see_that_nothing_runs(context, note);
                     context.systemd.reset_failed(unit);
                   },
                   {}});
}

Step link_step(Context& context, const std::string& name) {
  return {fmt::format("remove the link {}", name), [&context, name] { back_up_link(context, name); },
          [&context, name] { put_link_back(context, name); }};
}

std::vector<Step> uninstall_steps(Context& context, const UninstallNote& note, std::vector<std::string>& kept) {
  std::vector<Step> steps;
  if (note.has_unit || !note.companions.empty()) {
    steps.push_back(stop_step(context, note));
  }
  if (note.has_unit) {
    add_unit_steps(steps, context, note);
  }
  for (auto file = note.files.rbegin(); file != note.files.rend(); ++file) {
    if (!file->checksum.empty()) {
      steps.push_back(host_file_step(context, note, *file, kept));
    }
  }
  if (!note.package.name.empty()) {
    steps.push_back({fmt::format("remove the package {}", note.package.name),
                     [&context, &note, &kept] {
                       const auto edited = remove_package(context, note.package);
                       kept.insert(kept.end(), edited.begin(), edited.end());
                     },
                     [&context, &note] { install_package(context, note.name, note.slot); }});
  }
  if (!note.companions.empty()) {
    steps.push_back({"have systemd forget the units of the host files", [&context] { context.systemd.reload(); }, {}});
  }
  steps.push_back(backup_step(context, note, context.layout.tmpfiles_in_root(note.name)));
  return steps;
}

/// systemd-tmpfiles --remove needs the lines, which only the deployments still have.
void remove_tmpfiles(Context& context, int directory, const std::string& name) {
  for (const auto* slot : {".0", ".1"}) {
    const auto conf = fmt::format("{}{}/tmpfiles-{}.conf", name, slot, name);
    const auto status = base::stat_at(directory, name + slot) ? base::stat_at(directory, conf) : std::nullopt;
    if (status && S_ISREG(status->st_mode)) {
      try {
        context.systemd.remove_tmpfiles(context.layout.deployments_in_root() + "/" + conf);
      } catch (const Error& error) {
        context.reporter.warning(error.what());
      }
    }
  }
}

void drop_host_files(const Context& context, const UninstallNote& note) {
  const auto root = open_root(context);
  drop_link_backups(context, note.secret, note.links);
  if (note.has_unit) {  // those that came meanwhile
    host::remove_unit_links(root.get(), host::unit_name(note.name), {}, context.layout.units_in_root());
  }
  drop_companion_links(context, note.companions);
  drop_or_save(context, note.secret, context.layout.unit_in_root(note.name), note.saved_unit, "");
  drop_or_save(context, note.secret, context.layout.tmpfiles_in_root(note.name), note.saved_tmpfiles, "");
  for (auto file = note.files.rbegin(); file != note.files.rend(); ++file) {
    if (host::danger_on_the_way(root.get(), file->path)) {
      continue;  // as its step said
    }
    if (file->checksum.empty()) {
      host::remove_host_file(root.get(), file->path, "");
    } else {
      drop_backup(context, note.secret, file->path, file->checksum);
    }
  }
}

/// The link goes first of all, for without a note it is what says which host files there were.
void drop_deployments(const Context& context, int directory, const std::string& name) {
  if (base::read_link_at(directory, name)) {
    base::unlink_at(directory, name);
  }
  drop_link_backup(context, name);
  for (const auto* slot : {".0", ".1"}) {
    const auto found = base::stat_at(directory, name + slot);
    if (found && S_ISDIR(found->st_mode)) {  // a link of that name is another container
      base::remove_tree_at(directory, name + slot);
    }
  }
  remove_adopted_links(context, name);
}

/// Everything that cannot be taken back. May run several times.
void finish(Context& context, const UninstallNote& note) {
  const auto directory = base::open_host_directory(context.layout.deployments());
  remove_tmpfiles(context, directory.get(), note.name);
  drop_host_files(context, note);
  drop_deployments(context, directory.get(), note.name);
  if (!note.pid_file.empty()) {
    base::unlink_at(AT_FDCWD, context.layout.on_disk(note.pid_file));  // systemd removes it only with its own stop
  }
  host::remove_journal(context.layout, note.name);
}

/// A disk without room for a note must not keep a container from being removed, which makes room. When such an
/// uninstall is killed, it is done again by hand.
/// @return whether there is a note
bool write_note(const Context& context, const UninstallNote& note) {
  try {
    host::write_journal(context.layout, note.name, to_json(note));
    return true;
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::failed) {
      throw;
    }
    return false;
  }
}

}  // namespace

UninstallOutcome remove_container(Context& context, UninstallNote note, const StepHook& hook) {
  UninstallOutcome outcome;
  const bool noted = write_note(context, note);
  if (!noted) {
    note.secret.clear();  // what waits aside must be found by names that need no note
  }
  auto steps = uninstall_steps(context, note, outcome.kept_files);
  if (noted) {
    steps.push_back(link_step(context, note.name));
  }
  try {
    run_steps(steps, context.reporter, context.stop, hook);
  } catch (const IncompleteUndo&) {
    throw;  // the note stays, by which the next command completes the uninstall
  } catch (...) {
    host::remove_journal(context.layout, note.name);
    throw;
  }
  note.committed = true;
  if (noted) {
    write_note(context, note);  // an uninstall without this word is completed as well
  }
  finish(context, note);
  outcome.stopped_units = note.taken_along;
  for (const auto& saved : {note.saved_unit, note.saved_tmpfiles}) {
    if (!saved.empty()) {
      outcome.saved_texts.push_back(saved);
    }
  }
  return outcome;
}

UninstallOutcome complete_uninstall(Context& context, const UninstallNote& note) {
  UninstallOutcome outcome;
  if (!note.committed) {
    auto steps = uninstall_steps(context, note, outcome.kept_files);
    steps.push_back(link_step(context, note.name));
    for (const auto& step : steps) {
      check_stop(context.stop);
      step.apply();
    }
  }
  finish(context, note);
  return outcome;
}

}  // namespace berth::ops
