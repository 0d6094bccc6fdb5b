// The steps of an install, each with its undo. The undos work from the note alone, so that a later command can run them
// too.
#include <fcntl.h>
#include <fmt/format.h>
#include <stdio.h>

#include <functional>

#include "base/error.hpp"
#include "base/file.hpp"
#include "host/host_file.hpp"
#include "host/journal.hpp"
#include "ops/install.hpp"
#include "ops/service.hpp"

namespace berth::ops {

namespace {

using base::Error;
using base::ErrorKind;

std::string slot_name(const std::string& name, int slot) {
  return fmt::format("{}.{}", name, slot);
}

base::Fd deployments_folder(const Session& session) {
  return base::open_host_folder(session.layout.deployments());
}

base::Fd root_folder(const Session& session) {
  return base::open_host_folder(session.layout.root());
}

void sync_parent(int root, const std::string& path) {
  const auto parent = base::split_path(path).first;
  base::sync_at(base::open_in_root(root, parent, O_RDONLY | O_DIRECTORY).get(), ".");
}

/// Removes what we made at `file`, if it is still what we made.
void undo_file(const Session& session, const NotedFile& file) {
  const auto outcome = host::remove_host_file(root_folder(session).get(), file.path, file.checksum);
  if (outcome == host::RemoveOutcome::modified && !file.checksum.empty()) {
    session.reporter.warning(fmt::format("{} was changed by somebody else meanwhile and stays", file.path));
  }
}

void undo_place(const Session& session, const std::string& name, int slot) {
  base::remove_tree_at(deployments_folder(session).get(), slot_name(name, slot));
}

void undo_link(const Session& session, const std::string& name, int slot) {
  const auto folder = deployments_folder(session);
  if (base::read_link_at(folder.get(), name) == slot_name(name, slot)) {
    base::unlink_at(folder.get(), name);
  }
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

Step place_step(Session& session, const InstallPlan& plan, const std::string& staging) {
  const auto slot = slot_name(plan.name, plan.slot);
  return {fmt::format("put the deployment in place as {}", slot),
          [&session, staging, slot] {
            const auto folder = deployments_folder(session);
            base::check_errno(::renameat2(folder.get(), staging.c_str(), folder.get(), slot.c_str(), RENAME_NOREPLACE),
                              fmt::format("rename the prepared deployment to {}", slot));
          },
          [&session, name = plan.name, number = plan.slot] { undo_place(session, name, number); }};
}

Step host_file_step(Session& session, const InstallPlan& plan, const PlannedFile& planned) {
  const auto rootfs = slot_name(plan.name, plan.slot) + "/rootfs";
  return {fmt::format("create {}", planned.file.destination),
          [&session, planned, rootfs] {
            const auto source = base::open_folder_at(deployments_folder(session).get(), rootfs);
            const auto root = root_folder(session);
            const auto made = host::create_host_file(root.get(), source.get(), planned.file);
            if (!made.created) {
              throw Error(ErrorKind::conflict,
                          fmt::format("{} appeared while it was to be created", planned.file.destination),
                          "try again; an existing file is left alone");
            }
            if (made.checksum != planned.checksum) {
              throw Error(ErrorKind::verification,
                          fmt::format("{} is not what was planned: its bytes changed", planned.file.destination),
                          "try again");
            }
          },
          [&session, note = NotedFile{planned.file.destination, planned.checksum}] { undo_file(session, note); }};
}

/// @param reload_after_undo the unit: systemd must forget it again
Step text_file_step(Session& session, const std::string& path, const std::string& text, bool reload_after_undo) {
  return {fmt::format("write {}", path),
          [&session, path, text] {
            const auto root = root_folder(session);
            const auto [parent, leaf] = base::split_path(path);
            base::make_folders_at(root.get(), parent.substr(1), 0755);
            const auto folder = base::open_in_root(root.get(), parent, O_RDONLY | O_DIRECTORY);
            base::create_file_at(folder.get(), leaf, text, 0644);
          },
          [&session, note = NotedFile{path, base::digest_of(text).hex()}, reload_after_undo] {
            undo_file(session, note);
            if (reload_after_undo) {
              session.systemd.reload();
            }
          }};
}

Step link_step(Session& session, const InstallPlan& plan) {
  return {fmt::format("make {} the live deployment", slot_name(plan.name, plan.slot)),
          [&session, name = plan.name, slot = plan.slot] {
            base::replace_link_at(deployments_folder(session).get(), name, slot_name(name, slot));
          },
          [&session, name = plan.name, slot = plan.slot] { undo_link(session, name, slot); }};
}

Step durable_step(Session& session, const InstallPlan& plan) {
  return {"make it durable",
          [&session, &plan] {
            const auto root = root_folder(session);
            for (const auto& planned : plan.files) {
              sync_parent(root.get(), planned.file.destination);
            }
            if (plan.tmpfiles) {
              sync_parent(root.get(), session.layout.tmpfiles_inside(plan.name));
            }
            if (plan.unit) {
              sync_parent(root.get(), session.layout.unit_inside(plan.name));
            }
            base::sync_at(deployments_folder(session).get(), ".");
          },
          {}};
}

Step enable_step(Session& session, const std::string& unit) {
  return {fmt::format("enable {}", unit), [&session, unit] { session.systemd.enable(unit); },
          [&session, unit] { session.systemd.disable(unit); }};
}

Step start_step(Session& session, const std::string& unit) {
  return {fmt::format("start {}", unit),
          [&session, unit] {
            if (const auto job = session.systemd.start(unit); !job.done) {
              throw_start_failed(session, unit, job, ErrorKind::start_failed);
            }
          },
          [&session, unit] {
            session.systemd.stop(unit);
            session.systemd.reset_failed(unit);
          }};
}

void add_systemd_steps(std::vector<Step>& steps, Session& session, const InstallPlan& plan, bool start) {
  const auto unit = host::unit_name(plan.name);
  if (plan.unit) {
    steps.push_back({"have systemd read the unit", [&session] { session.systemd.reload(); }, {}});
  }
  if (plan.tmpfiles) {
    const auto conf = session.layout.tmpfiles_inside(plan.name);
    steps.push_back({fmt::format("create what {} lists", conf),
                     [&session, conf] { session.systemd.create_tmpfiles(conf); },
                     [&session, paths = plan.tmpfiles_paths] { undo_tmpfiles(session, paths); }});
  }
  if (plan.unit) {
    steps.push_back(enable_step(session, unit));
  }
  if (plan.unit && start) {
    steps.push_back(start_step(session, unit));
  }
}

}  // namespace

std::string staging_name(const std::string& name) {
  return ".staging-" + name;
}

std::vector<Step> install_steps(Session& session, const InstallPlan& plan, const std::string& staging, bool start) {
  std::vector<Step> steps;
  steps.push_back(place_step(session, plan, staging));
  for (const auto& planned : plan.files) {
    steps.push_back(host_file_step(session, plan, planned));
  }
  if (plan.tmpfiles) {
    steps.push_back(text_file_step(session, session.layout.tmpfiles_inside(plan.name), *plan.tmpfiles, false));
  }
  if (plan.unit) {
    steps.push_back(text_file_step(session, session.layout.unit_inside(plan.name), *plan.unit, true));
  }
  steps.push_back(link_step(session, plan));
  steps.push_back(durable_step(session, plan));
  add_systemd_steps(steps, session, plan, start);
  return steps;
}

void undo_install(Session& session, const InstallNote& note) {
  const auto unit = host::unit_name(note.name);
  std::vector<Step> steps;
  const auto add = [&steps](std::string what, std::function<void()> undo) {
    steps.push_back({std::move(what), {}, std::move(undo)});
  };
  add("remove the deployment", [&] { undo_place(session, note.name, note.slot); });
  if (note.has_unit) {
    add("have systemd forget the unit", [&] { session.systemd.reload(); });
  }
  for (const auto& file : note.files) {
    add("remove " + file.path, [&] { undo_file(session, file); });
  }
  add("remove the link", [&] { undo_link(session, note.name, note.slot); });
  add("remove what systemd-tmpfiles made", [&] { undo_tmpfiles(session, note.tmpfiles_paths); });
  if (note.has_unit) {
    add("disable " + unit, [&] { session.systemd.disable(unit); });
    if (!session.layout.offline()) {
      add("stop " + unit, [&] { session.systemd.stop(unit); });
    }
  }
  undo_steps(steps, steps.size(), session.reporter);
}

}  // namespace berth::ops
