// The steps of a switch. The undos work from the note alone and take back all, half or nothing of their step, so that a
// later command can run them too, and run them twice.
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

base::Fd deployments_directory(const Context& context) {
  return base::open_host_directory(context.layout.deployments());
}

void rename_directory(int directory, const std::string& from, const std::string& to) {
  base::check_errno(::renameat2(directory, from.c_str(), directory, to.c_str(), RENAME_NOREPLACE),
                    fmt::format("rename {} to {}", base::full_path(directory, from), to));
}

/// The lines are those of the new deployment, which is there until everything else has been taken back.
void take_tmpfiles_back(const Context& context, const SwitchRecord& note) {
  const auto lines = fmt::format("{}/{}/tmpfiles-{}.conf", context.layout.deployments(),
                                 host::slot_name(note.name, note.after.slot), note.name);
  undo_tmpfiles(context, note.tmpfiles_paths,
                base::read_file_at(AT_FDCWD, lines, host::deployment_text_limit).value_or(""));
}

class StepList {
 public:
  StepList(Context& context, const SwitchRecord& note, const SwitchInputs& work)
      : context_(context), note_(note), work_(work), unit_(host::unit_name(note.name)) {}

  std::vector<Step> make() {
    if (note_.prepared) {
      add_place();
    }
    if (note_.was_active || !note_.companions.empty()) {
      add_stop();
    }
    if (note_.before && !note_.before->tmpfiles.empty() && !note_.tmpfiles_masked) {
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
  /// Most steps need the session, the note, or both, which outlive them.
  void add(std::string what, std::function<void()> apply, std::function<void()> undo, bool decisive = false) {
    steps_.push_back({std::move(what), std::move(apply), std::move(undo), decisive});
  }

  void add_place() {
    const auto slot = host::slot_name(note_.name, note_.after.slot);
    const auto waiting = waiting_name(note_.name);
    add(
        fmt::format("put the deployment in place as {}", slot),
        [this_context = &context_, slot, waiting, staging = work_.staging, had_place = note_.had_place] {
          const auto directory = deployments_directory(*this_context);
          if (had_place) {
            rename_directory(directory.get(), slot, waiting);
          }
          rename_directory(directory.get(), staging, slot);
        },
        [this_context = &context_, slot, waiting, had_place = note_.had_place] {
          const auto directory = deployments_directory(*this_context);
          if (had_place && !base::stat_at(directory.get(), waiting)) {
            return;  // the one in the slot is still, or again, the earlier one
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
        [&context = context_, unit = unit_, &note = note_] {
          stop_companions(context, note.companions);  // sockets and timers first, which would start it again
          if (note.was_active) {
            stop_or_throw(context, unit);
            delete_left_container(context, note.runtime, note.name);
          }
        },
        [&context = context_, unit = unit_, &note = note_] {
          if (!note.companions.empty()) {
            context.systemd.reload();  // their files are back
            restore_companions(context, note.companions);
          }
          take_stop_back(context, unit, note.was_active, note.invocation, note.taken_along);
        });
  }

  void add_tmpfiles_removal() {
    const auto conf = context_.layout.tmpfiles_in_root(note_.name);
    add(
        fmt::format("remove what {} lists", conf),
        [&context = context_, conf] {
          try {
            context.systemd.remove_tmpfiles(conf);
          } catch (const Error& error) {
            context.reporter.warning(error.what());  // lines of the old deployment must not keep the new one away
          }
        },
        [&context = context_, conf] {
          try {
            context.systemd.create_tmpfiles(conf);
          } catch (const Error& error) {
            context.reporter.warning(error.what());  // the next boot does it; the service may not need it to start
          }
        });
  }

  /// Behind the stop: a volume changes its place, or begins, while nobody writes to it.
  void add_volumes() {
    if (note_.moves.empty() && note_.fills.empty()) {
      return;
    }
    add("make the directory of the volumes", {}, [&context = context_, &note = note_] {
      take_tmpfiles_back(context, note);  // which cannot go before the volumes in them
    });
    for (const auto& move : note_.moves) {
      add(
          fmt::format("move {} to {}", move.from, move.to), [&context = context_, move] { move_volume(context, move); },
          [&context = context_, move] {
            move_volume_back(context, move);
            remove_left_directories(context, {{move.to, move.from}});
          });
    }
    for (const auto& fill : note_.fills) {
      add(
          fmt::format("fill {}", fill.path),
          [&context = context_, fill, rootfs = work_.rootfs] {
            fill_volume(context, fill, open_rootfs(context.layout, rootfs).get());
          },
          [&context = context_, fill] { remove_filled_volume(context, fill); });
    }
  }

  void add_host_files() {
    if (note_.before) {
      for (auto file = note_.before->files.rbegin(); file != note_.before->files.rend(); ++file) {
        if (!file->checksum.empty()) {
          add(
              fmt::format("remove {}", file->path),
              [&context = context_, &note = note_, file = *file] { back_up_own(context, note.secret, file); },
              [&context = context_, &note = note_, path = file->path] { put_back(context, note.secret, path); });
        }
      }
    }
    for (const auto& directory : directories_in_the_way(note_)) {
      add(
          fmt::format("make room at {}", directory),
          [&context = context_, &note = note_, directory] {
            check_room(context, note, directory, true);
            back_up(context, note.secret, directory);
          },
          [&context = context_, &note = note_, directory] { put_back(context, note.secret, directory); });
    }
    for (const auto& file : note_.after.files) {
      const bool replaces = was_there(file.path);
      add(
          fmt::format("create {}", file.path),
          [&context = context_, &note = note_, work = work_, file] { create(context, note.secret, work, file); },
          [&context = context_, &note = note_, file, replaces] {
            if (replaces && !is_backed_up(context, note.secret, file.path)) {
              return;  // the old one is in its place
            }
            if (!remove_own(context, note.secret, file.path, file.checksum) && replaces) {
              // What somebody made of the new one is kept in place of the old one.
              drop_backup(context, note.secret, file.path);
            }
          });
    }
  }

  void add_package() {
    const auto& after = note_.after.package;
    const bool replaces = note_.before && !note_.before->package.name.empty();
    if (after.name.empty() && !replaces) {
      return;
    }
    const auto put_back = [&context = context_, &note = note_, replaces] {
      if (replaces) {
        install_package(context, note.name, note.before->slot);
      } else {
        purge_package(context, note.after.package.name);
      }
    };
    if (after.name.empty()) {
      add(
          fmt::format("remove the package {}", note_.before->package.name),
          [&context = context_, &note = note_] { remove_package(context, note.before->package); }, put_back);
    } else {
      add(
          fmt::format("install the package {}", after.name),
          [&context = context_, &note = note_] { install_package(context, note.name, note.after.slot); }, put_back);
    }
  }

  /// As a file, or a directory that makes room, that the change puts aside.
  [[nodiscard]] bool was_there(const std::string& path) const {
    if (!note_.before) {
      return false;
    }
    const auto directories = directories_in_the_way(note_);
    if (std::find(directories.begin(), directories.end(), path) != directories.end()) {
      return true;
    }
    const auto& files = note_.before->files;
    return std::any_of(files.begin(), files.end(),
                       [&](const NotedFile& file) { return !file.checksum.empty() && file.path == path; });
  }

  static void back_up_own(const Context& context, const std::string& secret, const NotedFile& file) {
    if (host::host_checksum(open_root(context).get(), file.path) != file.checksum) {
      throw Error(ErrorKind::conflict, fmt::format("{} was changed at this moment", file.path), "try again");
    }
    back_up(context, secret, file.path);
  }

  static void create(const Context& context, const std::string& secret, const SwitchInputs& work,
                     const NotedFile& file) {
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
      throw Error(ErrorKind::verification, fmt::format("{} is not what was planned: its bytes changed", file.path),
                  "try again");
    }
  }

  void add_texts() {
    static const std::string none;
    const auto& before = note_.before;
    const auto text_of = [](const std::optional<std::string>* text) { return text != nullptr ? *text : std::nullopt; };
    if (!note_.tmpfiles_masked) {
      add_text(context_.layout.tmpfiles_in_root(note_.name), before ? before->tmpfiles : none, note_.after.tmpfiles,
               text_of(work_.plan != nullptr ? &work_.plan->tmpfiles : nullptr), false);
    }
    if (note_.relinks && note_.was_enabled && !note_.links_known) {
      add("keep the links that enable " + unit_, {}, [&context = context_, &note = note_] {
        restore_links(context, note.name);  // the earlier unit is back in its place
        remove_empty(context, note.link_directories);
      });
    }
    if (!note_.masked) {
      add_text(context_.layout.unit_in_root(note_.name), before ? before->unit : none, note_.after.unit,
               text_of(work_.plan != nullptr ? &work_.plan->unit : nullptr), true);
    }
  }

  /// @param reload_after_undo the unit: systemd must read the other one again
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
          [&context = context_, &note = note_, path] { back_up(context, note.secret, path); },
          [&context = context_, &note = note_, path, reload] {
            put_back(context, note.secret, path);
            reload();
          },
          reload_after_undo);
      return;
    }
    add(
        fmt::format("write {}", path),
        [&context = context_, &note = note_, path, text, replaces = !before.empty()] {
          put_text(context, note.secret, path, text.value_or(""), replaces);
        },
        [&context = context_, &note = note_, path, after, replaced = !before.empty(), reload] {
          take_text_back(context, note.secret, path, replaced, after);
          reload();
        },
        reload_after_undo && note_.before);  // after an install nothing is started again
  }

  void add_link() {
    const auto live = host::slot_name(note_.name, note_.after.slot);
    add(
        fmt::format("make {} the live deployment", live),
        [&context = context_, name = note_.name, live] { point_link(context, name, live); },
        [&context = context_, &note = note_, live] {
          take_link_back(context, note.name, live,
                         note.before ? host::slot_name(note.name, note.before->slot) : std::string());
        },
        true);
  }

  void add_sync() {
    add("make it durable",
        [&context = context_, &note = note_] {
          const auto root = open_root(context);
          for (const auto& file : note.after.files) {
            const auto parent = base::split_path(file.path).first;
            base::sync_at(base::open_in_root(root.get(), parent, O_RDONLY | O_DIRECTORY).get(), ".");
          }
          base::sync_at(deployments_directory(context).get(), ".");
        },
        {});
  }

  void add_systemd() {
    if (note_.relinks) {
      add_enable();  // before the reload: since systemd 255 every unit needs one after an enable
    }
    if (!note_.after.unit.empty() || (note_.before && !note_.before->unit.empty()) || !note_.companions.empty()) {
      // What ran before will not run again with such a unit: as far as the user is concerned, it did not start.
      const auto kind = note_.before && note_.starts ? ErrorKind::start_failed : ErrorKind::failed;
      add("have systemd read the unit",
          [&context = context_, unit = unit_, &note = note_, kind] {
            context.systemd.reload();
            refuse_unloadable(context, unit, kind);
            if (note.before && !note.starts) {
              context.systemd.reset_failed(unit);  // a reload keeps the count of the earlier deployment's starts
            }
            if (!note.after.unit.empty()) {
              const auto slot = host::slot_name(note.name, note.after.slot);
              follow_slice(context, note.name, fmt::format("{}/{}", context.layout.deployments(), slot));
            }
          },
          {});
    }
    if (!note_.after.tmpfiles.empty() && !note_.tmpfiles_masked) {
      const auto conf = context_.layout.tmpfiles_in_root(note_.name);
      add(
          fmt::format("create what {} lists", conf),
          [&context = context_, conf] { context.systemd.create_tmpfiles(conf); },
          [&context = context_, &note = note_] { take_tmpfiles_back(context, note); });
    }
    add_companions();
    if (note_.starts) {
      add_start();
    } else if (note_.before && !note_.before->unit.empty()) {
      add_second_look();
    }
  }

  void add_companions() {
    if (!active_names(note_.companions).empty()) {
      add(
          "start the units of the host files",
          [&context = context_, unit = unit_, &note = note_] { start_companions(context, unit, note.companions); },
          [&context = context_, &note = note_] { stop_started_companions(context, note.companions); });
    }
  }

  /// Those that go are there until the change is finished, so that nothing has to be made to take it back. Links that
  /// an administrator made are left alone.
  void add_known_links() {
    if (note_.enables) {
      add(
          "make the links that enable " + unit_,
          [&context = context_, unit = unit_, &note = note_] {
            context.systemd.enable(unit);
            make_links_durable(context, note.made_links);
          },
          [&context = context_, &note = note_] {
            remove_also_links(context, note);
            remove_known_links(context, note.name, note.made_links);
            remove_empty(context, note.link_directories);
          });
    }
  }

  void add_enable() {
    if (note_.links_known) {
      add_known_links();
      return;
    }
    if (note_.was_enabled && !note_.enables) {
      return;  // its links go when the change is finished: to make them again would need room
    }
    add(
        "enable " + unit_,
        [&context = context_, unit = unit_, &note = note_] {
          context.systemd.enable(unit);
          if (note.was_enabled) {
            wanted_links(context, note.name);  // what cannot be read must not come up when there is no way back
          }
        },
        [&context = context_, unit = unit_, &note = note_] {
          remove_also_links(context, note);
          if (!note.was_enabled) {
            remove_links(context, note.name);
            context.systemd.disable(unit);
            remove_empty(context, note.link_directories);
          }
        });
  }

  void add_start() {
    add(
        "start " + unit_,
        [&context = context_, unit = unit_, &note = note_, gate = work_.gate] {
          constexpr auto kind = ErrorKind::start_failed;
          const auto dependents = by_kind(note.taken_along);
          bring_back(context, unit, dependents.sockets);
          if (note.before ? start_afresh(context, unit, kind) : start_or_throw(context, unit, kind)) {
            bring_back(context, unit, dependents.others);
            if (gate) {
              gate();
            }
          }
        },
        undo_of_start(), true);
  }

  /// Something else may have started the earlier deployment while another one took its place.
  void add_second_look() {
    add(
        "see that no earlier deployment runs",
        [&context = context_, unit = unit_, &note = note_] {
          if (note.after.unit.empty() || note.masked) {
            stop_for_good(context, unit);
            delete_left_container(context, note.runtime, note.name);
          } else if (host::is_active(context.systemd.state(unit))) {
            start_afresh(context, unit, ErrorKind::start_failed);
          }
        },
        undo_of_start(), true);
  }

  [[nodiscard]] std::function<void()> undo_of_start() const {
    return [&context = context_, &note = note_, unit = unit_] {
      const auto live = host::slot_name(note.name, note.after.slot);
      if (base::read_link_at(deployments_directory(context).get(), note.name) != live) {
        return;  // what runs, if anything, is the earlier deployment
      }
      if (!context.systemd.stop(unit).done && host::is_active(context.systemd.state(unit))) {
        throw Error(ErrorKind::failed, unit + " cannot be stopped");
      }
      context.systemd.reset_failed(unit);
    };
  }

  Context& context_;
  const SwitchRecord& note_;
  const SwitchInputs work_;
  std::string unit_;
  std::vector<Step> steps_;
};

}  // namespace

std::vector<Step> switch_steps(Context& context, const SwitchRecord& note, const SwitchInputs& work) {
  return StepList(context, note, work).make();
}

}  // namespace berth::ops
