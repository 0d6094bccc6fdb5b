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
#include "host/host_file.hpp"
#include "host/unit_file.hpp"
#include "ops/aside.hpp"
#include "ops/companion_units.hpp"
#include "ops/remote_rootfs.hpp"
#include "ops/replacement.hpp"
#include "ops/service.hpp"
#include "ops/switch.hpp"
#include "ops/system_package.hpp"
#include "ops/unit_job.hpp"

namespace berth::ops {

namespace {

using base::Error;
using base::ErrorKind;

base::Fd deployments_folder(const Session& session) {
  return base::open_host_folder(session.layout.deployments());
}

base::Fd root_folder(const Session& session) {
  return base::open_host_folder(session.layout.root());
}

void rename_folder(int folder, const std::string& from, const std::string& to) {
  base::check_errno(::renameat2(folder, from.c_str(), folder, to.c_str(), RENAME_NOREPLACE),
                    fmt::format("rename {} to {}", base::full_path(folder, from), to));
}

/// What systemd-tmpfiles made goes as long as nobody put anything into it.
void undo_tmpfiles(const Session& session, const std::vector<std::string>& paths) {
  const auto root = root_folder(session);
  for (auto path = paths.rbegin(); path != paths.rend(); ++path) {
    const auto [parent, leaf] = base::split_path(*path);
    try {
      const auto folder = base::open_in_root(root.get(), parent, O_RDONLY | O_DIRECTORY);
      if (::unlinkat(folder.get(), leaf.c_str(), AT_REMOVEDIR) != 0 && errno == ENOTDIR) {
        ::unlinkat(folder.get(), leaf.c_str(), 0);
      }
    } catch (const Error& error) {
      if (error.kind() != ErrorKind::not_found) {
        throw;
      }
    }
  }
}

class StepList {
 public:
  StepList(Session& session, const SwitchNote& note, const SwitchWork& work)
      : session_(session), note_(note), work_(work), unit_(host::unit_name(note.name)) {}

  std::vector<Step> make() {
    if (note_.prepared) {
      add_place();
    }
    if (note_.was_active || !note_.companions.empty()) {
      add_stop();
    }
    if (note_.before && !note_.before->tmpfiles.empty()) {
      add_tmpfiles_removal();
    }
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
  void add(std::string what, std::function<void()> apply, std::function<void()> undo) {
    steps_.push_back({std::move(what), std::move(apply), std::move(undo)});
  }

  void add_place() {
    const auto slot = host::slot_name(note_.name, note_.after.slot);
    const auto waiting = waiting_name(note_.name);
    add(
        fmt::format("put the deployment in place as {}", slot),
        [this_session = &session_, slot, waiting, staging = work_.staging, had_place = note_.had_place] {
          const auto folder = deployments_folder(*this_session);
          if (had_place) {
            rename_folder(folder.get(), slot, waiting);
          }
          rename_folder(folder.get(), staging, slot);
        },
        [this_session = &session_, slot, waiting, had_place = note_.had_place] {
          const auto folder = deployments_folder(*this_session);
          if (had_place && !base::stat_at(folder.get(), waiting)) {
            return;  // the one in the slot is still, or again, the earlier one
          }
          base::remove_tree_at(folder.get(), slot);
          if (had_place) {
            rename_folder(folder.get(), waiting, slot);
          }
          base::sync_at(folder.get(), ".");
        });
  }

  void add_stop() {
    add(
        "stop " + unit_,
        [&session = session_, unit = unit_, &note = note_] {
          stop_companions(session, note.companions);  // sockets and timers first, which would start it again
          if (note.was_active) {
            stop_or_throw(session, unit);
            delete_left_container(session, note.runtime, note.name);
          }
        },
        [&session = session_, unit = unit_, &note = note_] {
          if (!note.companions.empty()) {
            session.systemd.reload();  // their files are back
            restore_companions(session, note.companions);
          }
          const auto dependents = by_kind(note.taken_along);
          bring_back(session, unit, dependents.sockets);
          if (note.was_active) {
            start_again(session, unit, note.invocation);
          }
          bring_back(session, unit, dependents.others);
        });
  }

  void add_tmpfiles_removal() {
    const auto conf = session_.layout.tmpfiles_inside(note_.name);
    add(
        fmt::format("remove what {} lists", conf),
        [&session = session_, conf] {
          try {
            session.systemd.remove_tmpfiles(conf);
          } catch (const Error& error) {
            session.reporter.warning(error.what());  // lines of the old deployment must not keep the new one away
          }
        },
        [&session = session_, conf] { session.systemd.create_tmpfiles(conf); });
  }

  void add_host_files() {
    if (note_.before) {
      for (auto file = note_.before->files.rbegin(); file != note_.before->files.rend(); ++file) {
        if (!file->checksum.empty()) {
          add(
              fmt::format("remove {}", file->path),
              [&session = session_, file = *file] { put_aside_own(session, file); },
              [&session = session_, path = file->path] { put_back(session, path); });
        }
      }
    }
    for (const auto& file : note_.after.files) {
      const bool replaces = was_there(file.path);
      add(
          fmt::format("create {}", file.path),
          [&session = session_, work = work_, file] { create(session, work, file); },
          [&session = session_, file, replaces] {
            if (!replaces || waits_aside(session, file.path)) {  // otherwise the old one is in its place
              remove_own(session, file.path, file.checksum);
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
    const auto put_back = [&session = session_, &note = note_, replaces] {
      if (replaces) {
        install_package(session, note.name, note.before->slot);
      } else {
        purge_package(session, note.after.package.name);
      }
    };
    if (after.name.empty()) {
      add(
          fmt::format("remove the package {}", note_.before->package.name),
          [&session = session_, &note = note_] { remove_package(session, note.before->package); }, put_back);
    } else {
      add(
          fmt::format("install the package {}", after.name),
          [&session = session_, &note = note_] { install_package(session, note.name, note.after.slot); }, put_back);
    }
  }

  /// As a file that the change puts aside.
  [[nodiscard]] bool was_there(const std::string& path) const {
    if (!note_.before) {
      return false;
    }
    const auto& files = note_.before->files;
    return std::any_of(files.begin(), files.end(),
                       [&](const NotedFile& file) { return !file.checksum.empty() && file.path == path; });
  }

  static void put_aside_own(const Session& session, const NotedFile& file) {
    if (host::host_checksum(root_folder(session).get(), file.path) != file.checksum) {
      throw Error(ErrorKind::conflict, fmt::format("{} was changed at this moment", file.path), "try again");
    }
    put_aside(session, file.path);
  }

  static void create(const Session& session, const SwitchWork& work, const NotedFile& file) {
    const auto& files = work.plan->files;
    const auto planned = std::find_if(files.begin(), files.end(), [&](const PlannedFile& candidate) {
      return candidate.file.destination == file.path;
    });
    base::Fd source;
    if (planned->file.kind == host::HostFile::Kind::file && !planned->file.content) {
      source = open_rootfs(session.layout, work.rootfs);
    }
    const auto made = host::create_host_file(root_folder(session).get(), source.get(), planned->file);
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
    add_text(session_.layout.tmpfiles_inside(note_.name), before ? before->tmpfiles : none, note_.after.tmpfiles,
             text_of(work_.plan != nullptr ? &work_.plan->tmpfiles : nullptr), false);
    if (note_.relinks && note_.was_enabled && !note_.links_known) {
      add("keep the links that enable " + unit_, {}, [&session = session_, name = note_.name] {
        relink(session, name);  // the earlier unit is back in its place
      });
    }
    if (!note_.masked) {
      add_text(session_.layout.unit_inside(note_.name), before ? before->unit : none, note_.after.unit,
               text_of(work_.plan != nullptr ? &work_.plan->unit : nullptr), true);
    }
  }

  /// @param reload_after_undo the unit: systemd must read the other one again
  void add_text(const std::string& path, const std::string& before, const std::string& after,
                const std::optional<std::string>& text, bool reload_after_undo) {
    if (before.empty() && after.empty()) {
      return;
    }
    const auto reload = [&session = session_, reload_after_undo] {
      if (reload_after_undo) {
        session.systemd.reload();
      }
    };
    if (after.empty()) {
      add(
          fmt::format("remove {}", path), [&session = session_, path] { put_aside(session, path); },
          [&session = session_, path, reload] {
            put_back(session, path);
            reload();
          });
      return;
    }
    add(
        fmt::format("write {}", path),
        [&session = session_, path, text, replaces = !before.empty()] {
          put_text(session, path, text.value_or(""), replaces);
        },
        [&session = session_, path, after, replaced = !before.empty(), reload] {
          take_text_back(session, path, replaced, after);
          reload();
        });
  }

  void add_link() {
    const auto live = host::slot_name(note_.name, note_.after.slot);
    add(
        fmt::format("make {} the live deployment", live),
        [&session = session_, name = note_.name, live] { point_link(session, name, live); },
        [&session = session_, &note = note_, live] {
          const auto folder = deployments_folder(session);
          base::unlink_at(folder.get(), fresh_link(note.name));
          if (base::read_link_at(folder.get(), note.name) != live) {
            return;
          }
          if (note.before) {
            point_link(session, note.name, host::slot_name(note.name, note.before->slot));
          } else {
            base::unlink_at(folder.get(), note.name);
          }
        });
  }

  static std::string fresh_link(const std::string& name) { return ".link-" + name; }

  /// By one rename.
  static void point_link(const Session& session, const std::string& name, const std::string& target) {
    const auto folder = deployments_folder(session);
    const auto fresh = fresh_link(name);
    base::unlink_at(folder.get(), fresh);
    base::check_errno(::symlinkat(target.c_str(), folder.get(), fresh.c_str()), "create the link " + fresh);
    base::check_errno(::renameat(folder.get(), fresh.c_str(), folder.get(), name.c_str()),
                      fmt::format("make the link {} point to {}", name, target));
    base::sync_at(folder.get(), ".");
  }

  void add_sync() {
    add("make it durable",
        [&session = session_, &note = note_] {
          const auto root = root_folder(session);
          for (const auto& file : note.after.files) {
            const auto parent = base::split_path(file.path).first;
            base::sync_at(base::open_in_root(root.get(), parent, O_RDONLY | O_DIRECTORY).get(), ".");
          }
          base::sync_at(deployments_folder(session).get(), ".");
        },
        {});
  }

  void add_systemd() {
    if (!note_.after.unit.empty() || (note_.before && !note_.before->unit.empty()) || !note_.companions.empty()) {
      // What ran before will not run again with such a unit: as far as the user is concerned, it did not start.
      const auto kind = note_.before && note_.starts ? ErrorKind::start_failed : ErrorKind::failed;
      add("have systemd read the unit",
          [&session = session_, unit = unit_, kind] {
            session.systemd.reload();
            refuse_unloadable(session, unit, kind);
          },
          {});
    }
    if (!note_.after.tmpfiles.empty()) {
      const auto conf = session_.layout.tmpfiles_inside(note_.name);
      add(
          fmt::format("create what {} lists", conf),
          [&session = session_, conf] { session.systemd.create_tmpfiles(conf); },
          [&session = session_, paths = note_.tmpfiles_paths] { undo_tmpfiles(session, paths); });
    }
    if (note_.relinks) {
      add_enable();
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
          [&session = session_, unit = unit_, &note = note_] { start_companions(session, unit, note.companions); },
          [&session = session_, &note = note_] { stop_started_companions(session, note.companions); });
    }
  }

  /// Links that an administrator made are left alone.
  void add_known_links() {
    add(
        "change the links that enable " + unit_,
        [&session = session_, unit = unit_, &note = note_] {
          if (note.enables) {
            session.systemd.enable(unit);
          }
          host::remove_links(root_folder(session).get(), unit, note.dropped_links);
        },
        [&session = session_, unit = unit_, &note = note_] {
          const auto root = root_folder(session);
          host::make_links(root.get(), unit, note.dropped_links, session.layout.units_inside());
          host::remove_links(root.get(), unit, note.made_links);
        });
  }

  void add_enable() {
    if (note_.links_known) {
      add_known_links();
      return;
    }
    add(
        fmt::format("{} {}", note_.enables ? "enable" : "disable", unit_),
        [&session = session_, unit = unit_, &note = note_] {
          if (note.was_enabled && note.enables) {
            relink(session, note.name);
          } else if (note.enables) {
            session.systemd.enable(unit);
          } else {
            session.systemd.disable(unit);
          }
        },
        [&session = session_, unit = unit_, was_enabled = note_.was_enabled] {
          if (!was_enabled) {
            session.systemd.disable(unit);
          }
        });
  }

  /// From the links of another [Install] section to those of the unit that is there. The new ones come first, so that
  /// it is enabled at every moment: a boot after a power cut starts what it finds enabled at its beginning.
  static void relink(Session& session, const std::string& name) {
    const auto unit = host::unit_name(name);
    session.systemd.enable(unit);
    const auto root = root_folder(session);
    const auto file = base::open_in_root(root.get(), session.layout.unit_inside(name), O_RDONLY | O_NONBLOCK);
    const auto text = base::read_all(file.get(), deployment_text_limit, unit);
    host::remove_unit_links(root.get(), unit, host::parse_install_section(text, unit), session.layout.units_inside());
  }

  void add_start() {
    add(
        "start " + unit_,
        [&session = session_, unit = unit_, &note = note_, gate = work_.gate] {
          constexpr auto kind = ErrorKind::start_failed;
          const auto dependents = by_kind(note.taken_along);
          bring_back(session, unit, dependents.sockets);
          if (note.before ? start_afresh(session, unit, kind) : start_or_throw(session, unit, kind)) {
            bring_back(session, unit, dependents.others);
            if (gate) {
              gate();
            }
          }
        },
        undo_of_start());
  }

  /// Something else may have started the earlier deployment while another one took its place.
  void add_second_look() {
    add(
        "see that no earlier deployment runs",
        [&session = session_, unit = unit_, &note = note_] {
          if (note.after.unit.empty() || note.masked) {
            stop_for_good(session, unit);
            delete_left_container(session, note.runtime, note.name);
          } else if (host::is_active(session.systemd.state(unit))) {
            start_afresh(session, unit, ErrorKind::start_failed);
          }
        },
        undo_of_start());
  }

  [[nodiscard]] std::function<void()> undo_of_start() const {
    return [&session = session_, &note = note_, unit = unit_] {
      const auto live = host::slot_name(note.name, note.after.slot);
      if (base::read_link_at(deployments_folder(session).get(), note.name) != live) {
        return;  // what runs, if anything, is the earlier deployment
      }
      session.systemd.stop(unit);
      session.systemd.reset_failed(unit);
    };
  }

  Session& session_;
  const SwitchNote& note_;
  const SwitchWork work_;
  std::string unit_;
  std::vector<Step> steps_;
};

}  // namespace

std::vector<Step> switch_steps(Session& session, const SwitchNote& note, const SwitchWork& work) {
  return StepList(session, note, work).make();
}

}  // namespace berth::ops
