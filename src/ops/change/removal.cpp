// SPDX-License-Identifier: LGPL-2.1-or-later
#include "ops/change/removal.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include <utility>

#include "base/error.hpp"
#include "base/file.hpp"
#include "base/json.hpp"
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

/// Removes the unit or the tmpfiles.d file, or a link that the administrator put there.
Step backup_step(Context& context, const UninstallRecord& record, const std::string& path) {
  return {fmt::format("remove {}", path),
          [&context, &record, path] {
            const auto root = open_root(context);
            if (host::host_exists(root.get(), path) && !host::host_checksum(root.get(), path)) {
              context.reporter.warning(path + " was not created by berth and is left in place");
              return;
            }
            back_up(context, record.secret, path);
          },
          [&context, &record, path] { put_back(context, record.secret, path); }};
}

/// Whether another user could redirect the path: then the file is kept, and the removal goes on.
bool is_unsafe(const Context& context, int root, const std::string& path) {
  const auto danger = host::danger_on_the_way(root, path);
  if (danger) {
    context.reporter.warning(fmt::format("{} is left as it is: {}", path, danger->what()));
  }
  return danger.has_value();
}

/// Removes a host file that matches its recorded checksum; an edited one is kept and reported.
Step host_file_step(Context& context, const UninstallRecord& record, const RecordedFile& file,
                    std::vector<std::string>& kept) {
  return {fmt::format("remove {}", file.path),
          [&context, &record, file, &kept] {
            const auto root = open_root(context);
            if (is_unsafe(context, root.get(), file.path)) {
              return;
            }
            const auto now = host::host_checksum(root.get(), file.path);
            if (now == file.checksum) {
              back_up(context, record.secret, file.path);
            } else if (now) {
              kept.push_back(file.path);
            }
          },
          [&context, &record, path = file.path] {
            if (!is_unsafe(context, open_root(context).get(), path)) {
              put_back(context, record.secret, path);
            }
          }};
}

/// Whether restoring the links enables the unit completely, so that systemd need not do it.
bool links_suffice(const Context& context, const std::string& name) {
  try {
    const auto section = find_install_section(context, name);
    return section && section->not_followed.empty();
  } catch (const Error&) {
    return false;
  }
}

/// Stops units among the host files first: sockets and timers would start the service again.
Step stop_step(Context& context, const UninstallRecord& record) {
  const auto unit = host::unit_name(record.name);
  return {fmt::format("stop {}", unit),
          [&context, &record, unit] {
            stop_companions(context, record.companions);
            if (record.has_unit && !context.layout.offline()) {
              stop_or_throw(context, unit);
            }
          },
          [&context, &record, unit] {
            context.systemd.reload();
            restore_companions(context, record.companions);
            undo_stop(context, unit, record.was_active, record.invocation, record.taken_along);
          }};
}

/// Another unit may have started the service before its file was removed, or while it was stopped.
void ensure_stopped(Context& context, const UninstallRecord& record) {
  if (!context.layout.offline()) {
    stop_until_down(context, host::unit_name(record.name));
    delete_left_container(context, record.runtime, record.name);
  }
}

void add_unit_steps(std::vector<Step>& steps, Context& context, const UninstallRecord& record) {
  const auto unit = host::unit_name(record.name);
  steps.push_back({fmt::format("disable {}", unit),
                   [&context, &record, unit] {
                     back_up_links(context, record.secret, record.links);
                     context.systemd.disable(unit);  // also removes what its [Install] section names besides links
                   },
                   [&context, &record, unit] {
                     put_links_back(context, record.secret, record.links);
                     if (record.was_enabled && !links_suffice(context, record.name)) {
                       context.systemd.enable(unit);
                     }
                   }});
  // Before all other files, so that the service cannot be started again.
  steps.push_back(backup_step(context, record, context.layout.unit_in_root(record.name)));
  steps.push_back({"reload systemd without the unit",
                   [&context, &record, unit] {
                     context.systemd.reload();
                     ensure_stopped(context, record);
                     context.systemd.reset_failed(unit);
                   },
                   {}});
}

Step link_step(Context& context, const std::string& name) {
  return {fmt::format("remove the link {}", name), [&context, name] { back_up_link(context, name); },
          [&context, name] { put_link_back(context, name); }};
}

std::vector<Step> uninstall_steps(Context& context, const UninstallRecord& record, std::vector<std::string>& kept) {
  std::vector<Step> steps;
  if (record.has_unit || !record.companions.empty()) {
    steps.push_back(stop_step(context, record));
  }
  if (record.has_unit) {
    add_unit_steps(steps, context, record);
  }
  for (auto file = record.files.rbegin(); file != record.files.rend(); ++file) {
    if (!file->checksum.empty()) {
      steps.push_back(host_file_step(context, record, *file, kept));
    }
  }
  if (!record.package.name.empty()) {
    steps.push_back({fmt::format("remove the package {}", record.package.name),
                     [&context, &record, &kept] {
                       const auto edited = remove_package(context, record.package);
                       kept.insert(kept.end(), edited.begin(), edited.end());
                     },
                     [&context, &record] { install_package(context, record.name, record.slot); }});
  }
  if (!record.companions.empty()) {
    steps.push_back(
        {"reload systemd without the units of the host files", [&context] { context.systemd.reload(); }, {}});
  }
  steps.push_back(backup_step(context, record, context.layout.tmpfiles_in_root(record.name)));
  return steps;
}

/// systemd-tmpfiles --remove reads the lines from the deployments: the file on the host is removed.
void remove_tmpfiles(Context& context, int directory, const std::string& name) {
  for (const auto* slot : {".0", ".1"}) {
    const auto conf = name + slot + "/" + host::tmpfiles_copy_name(name);
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

void drop_host_files(const Context& context, const UninstallRecord& record) {
  const auto root = open_root(context);
  drop_link_backups(context, record.secret, record.links);
  if (record.has_unit) {  // links that were created meanwhile
    host::remove_unit_links(root.get(), host::unit_name(record.name), {}, context.layout.units_in_root());
  }
  drop_companion_links(context, record.companions);
  drop_or_save(context, record.secret, context.layout.unit_in_root(record.name), record.saved_unit, "");
  drop_or_save(context, record.secret, context.layout.tmpfiles_in_root(record.name), record.saved_tmpfiles, "");
  for (auto file = record.files.rbegin(); file != record.files.rend(); ++file) {
    if (host::danger_on_the_way(root.get(), file->path)) {
      continue;  // its step has warned
    }
    if (file->checksum.empty()) {
      host::remove_host_file(root.get(), file->path, "");
    } else {
      drop_backup(context, record.secret, file->path, file->checksum);
    }
  }
}

/// Removes the link first: without a journal record, an uninstall that is run again finds the host files by it.
void drop_deployments(const Context& context, int directory, const std::string& name) {
  if (base::read_link_at(directory, name)) {
    base::unlink_at(directory, name);
  }
  drop_link_backup(context, name);
  for (const auto* slot : {".0", ".1"}) {
    const auto found = base::stat_at(directory, name + slot);
    if (found && S_ISDIR(found->st_mode)) {  // a link of that name belongs to another container
      base::remove_tree_at(directory, name + slot);
    }
  }
  remove_adopted_links(context, name);
}

/// The part of a removal that cannot be undone. May run several times.
void finish(Context& context, const UninstallRecord& record) {
  const auto directory = open_deployments(context);
  remove_tmpfiles(context, directory.get(), record.name);
  drop_host_files(context, record);
  drop_deployments(context, directory.get(), record.name);
  if (!record.pid_file.empty()) {
    base::unlink_at(AT_FDCWD,
                    context.layout.on_disk(record.pid_file));  // systemd removes it only when it stops the unit itself
  }
  host::remove_journal(context.layout, record.name);
}

/// On a full disk a container is removed without a record: the removal frees space. When such an uninstall is killed,
/// the user has to run it again.
/// @return whether the record was written
bool write_record(const Context& context, const UninstallRecord& record) {
  try {
    host::write_journal(context.layout, record.name, to_json(record));
    return true;
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::failed) {
      throw;
    }
    return false;
  }
}

}  // namespace

base::Json to_json(const UninstallOutcome& outcome) {
  return {{"container", outcome.container},    {"keptFiles", outcome.kept_files},
          {"savedTexts", outcome.saved_texts}, {"stoppedUnits", outcome.stopped_units},
          {"remarks", outcome.remarks},        {"showsPreinstalled", outcome.shows_preinstalled}};
}

UninstallOutcome remove_container(Context& context, UninstallRecord record, const StepHook& hook) {
  UninstallOutcome outcome{record.name};
  const bool recorded = write_record(context, record);
  if (!recorded) {
    record.secret.clear();  // backups must be found again without a record
  }
  auto steps = uninstall_steps(context, record, outcome.kept_files);
  if (recorded) {
    steps.push_back(link_step(context, record.name));
  }
  try {
    run_steps(record.name, steps, context.reporter, context.stop, hook);
  } catch (const RecordStays&) {
    throw;  // the next command completes the uninstall from the record
  } catch (...) {
    host::remove_journal(context.layout, record.name);
    throw;
  }
  record.committed = true;
  if (recorded) {
    write_record(context, record);  // when this fails, the uninstall is completed all the same
  }
  finish(context, record);
  outcome.stopped_units = record.taken_along;
  for (const auto& saved : {record.saved_unit, record.saved_tmpfiles}) {
    if (!saved.empty()) {
      outcome.saved_texts.push_back(saved);
    }
  }
  return outcome;
}

UninstallOutcome complete_uninstall(Context& context, const UninstallRecord& record) {
  UninstallOutcome outcome{record.name};
  if (!record.committed) {
    auto steps = uninstall_steps(context, record, outcome.kept_files);
    steps.push_back(link_step(context, record.name));
    for (const auto& step : steps) {
      check_stop(context.stop);
      step.apply();
    }
  }
  finish(context, record);
  return outcome;
}

}  // namespace berth::ops
