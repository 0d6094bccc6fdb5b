// SPDX-License-Identifier: LGPL-2.1-or-later
// The steps of a switch. An undo uses the record alone and works whether its step was done, partly done or not done, so
// that a later command can run it, also twice.
#include <fcntl.h>
#include <fmt/format.h>
#include <stdio.h>
#include <unistd.h>

#include <algorithm>
#include <functional>

#include "base/error.hpp"
#include "base/file.hpp"
#include "host/files/host_file.hpp"
#include "ops/change/deployment_switch.hpp"
#include "ops/change/replacement.hpp"
#include "ops/deployments_directory.hpp"
#include "ops/footprint/companion_units.hpp"
#include "ops/footprint/enablement.hpp"
#include "ops/footprint/host_file_backup.hpp"
#include "ops/footprint/replaced_directories.hpp"
#include "ops/footprint/system_package.hpp"
#include "ops/footprint/tmpfiles_undo.hpp"
#include "ops/footprint/unit_links.hpp"
#include "ops/footprint/unit_slice.hpp"
#include "ops/footprint/volumes.hpp"
#include "ops/live_link.hpp"
#include "ops/plan/remote_rootfs.hpp"
#include "ops/runtime/unit_job.hpp"

namespace berth::ops {

namespace {

using base::Error;
using base::ErrorKind;

void rename_directory(int directory, const std::string& from, const std::string& to) {
  base::check_errno(::renameat2(directory, from.c_str(), directory, to.c_str(), RENAME_NOREPLACE),
                    fmt::format("rename {} to {}", base::full_path(directory, from), to));
}

/// Undoes the tmpfiles.d lines of the new deployment, which is removed by the last undo only.
void undo_created_tmpfiles(const Context& context, const SwitchRecord& record) {
  const auto lines =
      fmt::format("{}/{}/{}", context.layout.deployments(), host::slot_name(record.name, record.after.slot),
                  host::tmpfiles_copy_name(record.name));
  undo_tmpfiles(context, record.tmpfiles_paths,
                base::read_file_at(AT_FDCWD, lines, host::deployment_text_limit).value_or(""));
}

class StepList {
 public:
  StepList(Context& context, const SwitchRecord& record, const SwitchInputs& work)
      : context_(context), record_(record), work_(work), unit_(host::unit_name(record.name)) {}

  std::vector<Step> make() {
    if (record_.prepared) {
      add_rename_to_slot();
    }
    if (record_.was_active || !record_.companions.empty()) {
      add_stop();
    }
    if (record_.before && !record_.before->tmpfiles.empty() && !record_.tmpfiles_masked) {
      add_tmpfiles_removal();
    }
    add_volumes();
    add_host_files();
    add_package();
    add_texts();
    add_link();
    add_sync();
    add_systemd();
    return std::move(steps_);
  }

 private:
  /// Context and record outlive the steps, which refer to them.
  void add(std::string what, std::function<void()> apply, std::function<void()> undo, bool decisive = false) {
    steps_.push_back({std::move(what), std::move(apply), std::move(undo), decisive});
  }

  void add_rename_to_slot() {
    const auto slot = host::slot_name(record_.name, record_.after.slot);
    const auto waiting = waiting_name(record_.name);
    add(
        fmt::format("rename the staged deployment to {}", slot),
        [this_context = &context_, slot, waiting, staging = work_.staging, had_place = record_.had_place] {
          const auto directory = open_deployments(*this_context);
          if (had_place) {
            rename_directory(directory.get(), slot, waiting);
          }
          rename_directory(directory.get(), staging, slot);
        },
        [this_context = &context_, slot, waiting, had_place = record_.had_place] {
          const auto directory = open_deployments(*this_context);
          if (had_place && !base::stat_at(directory.get(), waiting)) {
            return;  // the slot holds the earlier deployment
          }
          base::remove_tree_at(directory.get(), slot);
          if (had_place) {
            rename_directory(directory.get(), waiting, slot);
          }
          base::sync_at(directory.get(), ".");
        });
  }

  void add_stop() {
    add(
        "stop " + unit_,
        [&context = context_, unit = unit_, &record = record_] {
          stop_companions(context, record.companions);  // first, for sockets and timers would start the service again
          if (record.was_active) {
            stop_or_throw(context, unit);
            delete_left_container(context, record.runtime, record.name);
          }
        },
        [&context = context_, unit = unit_, &record = record_] {
          if (!record.companions.empty()) {
            context.systemd.reload();  // their files are restored
            restore_companions(context, record.companions);
          }
          undo_stop(context, unit, record.was_active, record.invocation, record.taken_along);
        });
  }

  void add_tmpfiles_removal() {
    const auto conf = context_.layout.tmpfiles_in_root(record_.name);
    add(
        fmt::format("remove the paths that {} lists", conf),
        [&context = context_, conf] {
          try {
            context.systemd.remove_tmpfiles(conf);
          } catch (const Error& error) {
            context.reporter.warning(error.what());  // lines of the old deployment must not prevent the change
          }
        },
        [&context = context_, conf] {
          try {
            context.systemd.create_tmpfiles(conf);
          } catch (const Error& error) {
            context.reporter.warning(error.what());  // the next boot runs them; the service may start without
          }
        });
  }

  /// After the stop: volumes are moved and filled while the service does not write to them.
  void add_volumes() {
    if (record_.moves.empty() && record_.fills.empty()) {
      return;
    }
    add("create the directory of the volumes", {}, [&context = context_, &record = record_] {
      undo_created_tmpfiles(context, record);  // after the volumes in those directories are undone
    });
    for (const auto& move : record_.moves) {
      add(
          fmt::format("move {} to {}", move.from, move.to), [&context = context_, move] { move_volume(context, move); },
          [&context = context_, move] {
            move_volume_back(context, move);
            remove_left_directories(context, {{move.to, move.from}});
          });
    }
    for (const auto& fill : record_.fills) {
      add(
          fmt::format("fill {}", fill.path),
          [&context = context_, fill, rootfs = work_.rootfs] {
            fill_volume(context, fill, open_rootfs(context.layout, rootfs).get());
          },
          [&context = context_, fill] { remove_filled_volume(context, fill); });
    }
  }

  void add_host_files() {
    if (record_.before) {
      for (auto file = record_.before->files.rbegin(); file != record_.before->files.rend(); ++file) {
        if (!file->checksum.empty()) {
          add(
              fmt::format("remove {}", file->path),
              [&context = context_, &record = record_, file = *file] { back_up_own(context, record.secret, file); },
              [&context = context_, &record = record_, path = file->path] { put_back(context, record.secret, path); });
        }
      }
    }
    for (const auto& directory : replaced_directories(record_)) {
      add(
          fmt::format("make room at {}", directory),
          [&context = context_, &record = record_, directory] {
            check_replaceable(context, record, directory, true);
            back_up(context, record.secret, directory);
          },
          [&context = context_, &record = record_, directory] { put_back(context, record.secret, directory); });
    }
    for (const auto& file : record_.after.files) {
      const bool replaces = was_there(file.path);
      add(
          fmt::format("create {}", file.path),
          [&context = context_, &record = record_, work = work_, file] { create(context, record.secret, work, file); },
          [&context = context_, &record = record_, file, replaces] {
            if (replaces && !is_backed_up(context, record.secret, file.path)) {
              return;  // the old file is still there
            }
            if (!remove_own(context, record.secret, file.path, file.checksum) && replaces) {
              // The new file was edited: it is kept instead of the old one.
              drop_backup(context, record.secret, file.path);
            }
          });
    }
  }

  void add_package() {
    const auto& after = record_.after.package;
    const bool replaces = record_.before && !record_.before->package.name.empty();
    if (after.name.empty() && !replaces) {
      return;
    }
    const auto put_back = [&context = context_, &record = record_, replaces] {
      if (replaces) {
        install_package(context, record.name, record.before->slot);
      } else {
        purge_package(context, record.after.package.name);
      }
    };
    if (after.name.empty()) {
      add(
          fmt::format("remove the package {}", record_.before->package.name),
          [&context = context_, &record = record_] { remove_package(context, record.before->package); }, put_back);
    } else {
      add(
          fmt::format("install the package {}", after.name),
          [&context = context_, &record = record_] { install_package(context, record.name, record.after.slot); },
          put_back);
    }
  }

  /// Whether the change backs up a file, or a directory, at `path`.
  [[nodiscard]] bool was_there(const std::string& path) const {
    if (!record_.before) {
      return false;
    }
    const auto directories = replaced_directories(record_);
    if (std::find(directories.begin(), directories.end(), path) != directories.end()) {
      return true;
    }
    const auto& files = record_.before->files;
    return std::any_of(files.begin(), files.end(),
                       [&](const RecordedFile& file) { return !file.checksum.empty() && file.path == path; });
  }

  static void back_up_own(const Context& context, const std::string& secret, const RecordedFile& file) {
    if (host::host_checksum(open_root(context).get(), file.path) != file.checksum) {
      throw Error(ErrorKind::conflict, fmt::format("{} was changed while it was being replaced", file.path),
                  "try again");
    }
    back_up(context, secret, file.path);
  }

  static void create(const Context& context, const std::string& secret, const SwitchInputs& work,
                     const RecordedFile& file) {
    const auto& files = work.plan->files;
    const auto planned = std::find_if(files.begin(), files.end(), [&](const PlannedFile& candidate) {
      return candidate.file.destination == file.path;
    });
    base::Fd source;
    if (planned->file.kind == host::HostFile::Kind::file && !planned->file.content) {
      source = open_rootfs(context.layout, work.rootfs);
    }
    auto wanted = planned->file;
    wanted.secret = secret;
    const auto made = host::create_host_file(open_root(context).get(), source.get(), wanted);
    if (!made.created) {
      throw Error(ErrorKind::conflict, fmt::format("{} appeared while it was to be created", file.path),
                  "try again; an existing file is left alone");
    }
    if (made.checksum != file.checksum) {
      throw Error(ErrorKind::verification, fmt::format("the content of {} changed since it was planned", file.path),
                  "try again");
    }
  }

  void add_texts() {
    static const std::string none;
    const auto& before = record_.before;
    const auto text_of = [](const std::optional<std::string>* text) { return text != nullptr ? *text : std::nullopt; };
    if (!record_.tmpfiles_masked) {
      add_text(context_.layout.tmpfiles_in_root(record_.name), before ? before->tmpfiles : none, record_.after.tmpfiles,
               text_of(work_.plan != nullptr ? &work_.plan->tmpfiles : nullptr), false);
    }
    if (record_.relinks && record_.was_enabled && !record_.links_known) {
      add("keep the links that enable " + unit_, {}, [&context = context_, &record = record_] {
        restore_links(context, record.name);  // the earlier unit is restored
        remove_empty(context, record.link_directories);
      });
    }
    if (!record_.masked) {
      add_text(context_.layout.unit_in_root(record_.name), before ? before->unit : none, record_.after.unit,
               text_of(work_.plan != nullptr ? &work_.plan->unit : nullptr), true);
    }
  }

  /// @param reload_after_undo for the unit: systemd must read the restored one
  void add_text(const std::string& path, const std::string& before, const std::string& after,
                const std::optional<std::string>& text, bool reload_after_undo) {
    if (before.empty() && after.empty()) {
      return;
    }
    const auto reload = [&context = context_, reload_after_undo] {
      if (reload_after_undo) {
        context.systemd.reload();
      }
    };
    if (after.empty()) {
      add(
          fmt::format("remove {}", path),
          [&context = context_, &record = record_, path] { back_up(context, record.secret, path); },
          [&context = context_, &record = record_, path, reload] {
            put_back(context, record.secret, path);
            reload();
          },
          reload_after_undo);
      return;
    }
    add(
        fmt::format("write {}", path),
        [&context = context_, &record = record_, path, text, replaces = !before.empty()] {
          put_text(context, record.secret, path, text.value_or(""), replaces);
        },
        [&context = context_, &record = record_, path, after, replaced = !before.empty(), reload] {
          take_text_back(context, record.secret, path, replaced, after);
          reload();
        },
        reload_after_undo && record_.before);  // undoing an install starts nothing
  }

  void add_link() {
    const auto live = host::slot_name(record_.name, record_.after.slot);
    add(
        fmt::format("make {} the live deployment", live),
        [&context = context_, name = record_.name, live] { point_link(context, name, live); },
        [&context = context_, &record = record_, live] {
          take_link_back(context, record.name, live,
                         record.before ? host::slot_name(record.name, record.before->slot) : std::string());
        },
        true);
  }

  void add_sync() {
    add("sync to disk",
        [&context = context_, &record = record_] {
          const auto root = open_root(context);
          for (const auto& file : record.after.files) {
            const auto parent = base::split_path(file.path).first;
            base::sync_at(base::open_in_root(root.get(), parent, O_RDONLY | O_DIRECTORY).get(), ".");
          }
          base::sync_at(open_deployments(context).get(), ".");
        },
        {});
  }

  void add_systemd() {
    if (record_.relinks) {
      add_enable();  // before the reload: since systemd 255 an enable makes every unit need one
    }
    if (!record_.after.unit.empty() || (record_.before && !record_.before->unit.empty()) ||
        !record_.companions.empty()) {
      // A running service could not be started again with such a unit: that counts as a failed start.
      const auto kind = record_.before && record_.starts ? ErrorKind::start_failed : ErrorKind::failed;
      add("reload systemd",
          [&context = context_, unit = unit_, &record = record_, kind] {
            context.systemd.reload();
            refuse_unloadable(context, unit, kind);
            if (record.before && !record.starts) {
              context.systemd.reset_failed(unit);  // a reload keeps the start counter of the earlier deployment
            }
            if (!record.after.unit.empty()) {
              const auto slot = host::slot_name(record.name, record.after.slot);
              follow_slice(context, record.name, fmt::format("{}/{}", context.layout.deployments(), slot));
            }
          },
          {});
    }
    if (!record_.after.tmpfiles.empty() && !record_.tmpfiles_masked) {
      const auto conf = context_.layout.tmpfiles_in_root(record_.name);
      add(
          fmt::format("create the paths that {} lists", conf),
          [&context = context_, conf] { context.systemd.create_tmpfiles(conf); },
          [&context = context_, &record = record_] { undo_created_tmpfiles(context, record); });
    }
    add_companions();
    if (record_.starts) {
      add_start();
    } else if (record_.before && !record_.before->unit.empty()) {
      add_check_for_earlier();
    }
  }

  void add_companions() {
    if (!active_names(record_.companions).empty()) {
      add(
          "start the units of the host files",
          [&context = context_, unit = unit_, &record = record_] {
            start_companions(context, unit, record.companions);
          },
          [&context = context_, &record = record_] { stop_started_companions(context, record.companions); });
    }
  }

  /// Links that are no longer wanted are removed when the change is finished, so that an undo need not create any.
  /// Links that the administrator made are not changed.
  void add_known_links() {
    if (record_.enables) {
      add(
          "create the links that enable " + unit_,
          [&context = context_, unit = unit_, &record = record_] {
            context.systemd.enable(unit);
            make_links_durable(context, record.made_links);
          },
          [&context = context_, &record = record_] {
            remove_also_links(context, record);
            remove_known_links(context, record.name, record.made_links);
            remove_empty(context, record.link_directories);
          });
    }
  }

  void add_enable() {
    if (record_.links_known) {
      add_known_links();
      return;
    }
    if (record_.was_enabled && !record_.enables) {
      return;  // finish_switch removes its links: creating them again would need disk space
    }
    add(
        "enable " + unit_,
        [&context = context_, unit = unit_, &record = record_] {
          context.systemd.enable(unit);
          if (record.was_enabled) {
            find_install_section(context, record.name);  // fail now rather than when the change cannot be undone
          }
        },
        [&context = context_, unit = unit_, &record = record_] {
          remove_also_links(context, record);
          if (!record.was_enabled) {
            remove_links(context, record.name);
            context.systemd.disable(unit);
            remove_empty(context, record.link_directories);
          }
        });
  }

  void add_start() {
    add(
        "start " + unit_,
        [&context = context_, unit = unit_, &record = record_, gate = work_.gate] {
          constexpr auto kind = ErrorKind::start_failed;
          const auto dependents = by_kind(record.taken_along);
          bring_back(context, unit, dependents.sockets);
          if (record.before ? start_afresh(context, unit, kind) : start_or_throw(context, unit, kind)) {
            bring_back(context, unit, dependents.others);
            if (gate) {
              gate();
            }
          }
        },
        undo_of_start(), true);
  }

  /// Another unit may have started the earlier deployment while it was being replaced.
  void add_check_for_earlier() {
    add(
        "stop the earlier deployment if it runs",
        [&context = context_, unit = unit_, &record = record_] {
          if (record.after.unit.empty() || record.masked) {
            stop_until_down(context, unit);
            delete_left_container(context, record.runtime, record.name);
          } else if (host::is_active(context.systemd.state(unit))) {
            start_afresh(context, unit, ErrorKind::start_failed);
          }
        },
        undo_of_start(), true);
  }

  [[nodiscard]] std::function<void()> undo_of_start() const {
    return [&context = context_, &record = record_, unit = unit_] {
      const auto live = host::slot_name(record.name, record.after.slot);
      if (base::read_link_at(open_deployments(context).get(), record.name) != live) {
        return;  // the earlier deployment is live
      }
      if (!context.systemd.stop(unit).done && host::is_active(context.systemd.state(unit))) {
        throw Error(ErrorKind::failed, unit + " cannot be stopped");
      }
      context.systemd.reset_failed(unit);
    };
  }

  Context& context_;
  const SwitchRecord& record_;
  const SwitchInputs work_;
  std::string unit_;
  std::vector<Step> steps_;
};

}  // namespace

std::vector<Step> switch_steps(Context& context, const SwitchRecord& record, const SwitchInputs& work) {
  return StepList(context, record, work).make();
}

}  // namespace berth::ops
