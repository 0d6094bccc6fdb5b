// SPDX-License-Identifier: LGPL-2.1-or-later
#include "ops/containers/adopt.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstdio>

#include "base/error.hpp"
#include "base/file.hpp"
#include "base/json.hpp"
#include "host/files/private_directory.hpp"
#include "host/state/deployment.hpp"
#include "host/state/lock.hpp"
#include "host/state/transaction_journal.hpp"
#include "ops/change/adopted_places.hpp"
#include "ops/change/adoption.hpp"
#include "ops/change/recover.hpp"
#include "ops/deployments_directory.hpp"
#include "ops/result_json.hpp"
#include "ops/runtime/one_off.hpp"
#include "store/ostree/private_mark.hpp"

namespace berth::ops {

namespace {

using base::Error;
using base::ErrorKind;

host::Layout atomic_layout(const Context& context, const AdoptRequest& request) {
  host::LayoutSettings settings;
  settings.root = context.layout.root();
  settings.deployments = request.from;
  settings.repository = request.repository;
  return host::Layout(std::move(settings));
}

AdoptedContainer describe(Context& context, const host::Deployment& deployment, std::vector<std::string> directories) {
  AdoptedContainer container;
  container.name = deployment.name;
  container.image = deployment.info.image;
  container.image_id = deployment.info.revision;
  container.running = deployment.info.has_container_service && !context.layout.offline() &&
                      host::is_active(context.systemd.state(host::unit_name(deployment.name)));
  container.directories = std::move(directories);
  return container;
}

/// @return the requested names; all of `available` without a request
std::vector<std::string> chosen(const std::vector<std::string>& requested, const std::vector<std::string>& available,
                                const std::string& from) {
  for (const auto& name : requested) {
    if (std::find(available.begin(), available.end(), name) == available.end()) {
      throw Error(ErrorKind::not_found, fmt::format("there is no container {} to adopt in {}", name, from),
                  "berth adopt --dry-run shows the containers that can be adopted");
    }
  }
  return requested.empty() ? available : requested;
}

void refuse_taken(const Context& context, const std::string& name) {
  base::in_context([&] { return fmt::format("adopting {}", name); },
                   [&] {
                     if (host::current_slot(context.layout, name)) {
                       throw Error(ErrorKind::conflict, fmt::format("berth already has a container {}", name),
                                   "name the others: berth adopt NAME...");
                     }
                     host::refuse_name_conflict(context.layout, name);
                   });
}

bool same_directory(const std::string& left, const std::string& right) {
  struct stat one {};
  struct stat other {};
  return ::stat(left.c_str(), &one) == 0 && ::stat(right.c_str(), &other) == 0 && one.st_dev == other.st_dev &&
         one.st_ino == other.st_ino;
}

/// Whether a file can be renamed from one path to the other, which needs one mount, not only one file system.
/// @param to need not exist
bool on_one_mount(const std::string& from, std::string to) {
  struct statx here {};
  struct statx there {};
  while (::statx(AT_FDCWD, to.c_str(), 0, STATX_MNT_ID, &there) != 0) {
    if (errno != ENOENT || to.size() <= 1) {
      return false;
    }
    to = base::split_path(to).first;
  }
  return ::statx(AT_FDCWD, from.c_str(), 0, STATX_MNT_ID, &here) == 0 && here.stx_mnt_id == there.stx_mnt_id;
}

/// @return the repository of `atomic`, even when other users can enter it
std::string repository_of(const host::Layout& older) {
  auto open = older.read_only_repository();
  return open.empty() ? older.repository() : open;
}

/// Only a repository below the deployments of `atomic` may be moved. Others may have other users.
bool can_move(const host::Layout& older, const std::string& to) {
  const auto from = repository_of(older);
  return from == older.deployments() + "/.storage/ostree" && on_one_mount(from, to);
}

void plan_repository(const Context& context, const host::Layout& older, AdoptOutcome& outcome) {
  const auto theirs = repository_of(older);
  const auto ours = context.layout.repository();
  if (!is_repository(theirs)) {
    return;
  }
  outcome.repository_path = path_in_root(context, theirs);
  if (same_directory(theirs, ours)) {
    outcome.repository = RepositoryFate::shared;
    return;
  }
  outcome.repository = !is_repository(ours) && can_move(older, ours) ? RepositoryFate::moved : RepositoryFate::copied;
  const auto there = store::Store::open_existing(store_options(context, theirs));
  const auto here = store::Store::open_existing(store_options(context));
  const auto stored = here ? here->images(false) : std::vector<store::StoredImage>();
  for (const auto& image : there ? there->images(false) : std::vector<store::StoredImage>()) {
    const auto same = [&image](const store::StoredImage& other) { return other.branch == image.branch; };
    if (std::none_of(stored.begin(), stored.end(), same)) {
      outcome.images.push_back(image.name);
    }
  }
}

void move_repository(const std::string& from, const std::string& to, const std::string& link) {
  base::make_directories_at(AT_FDCWD, base::split_path(to).first, 0700);
  if (::renameat2(AT_FDCWD, from.c_str(), AT_FDCWD, to.c_str(), RENAME_NOREPLACE) != 0) {
    base::throw_errno(fmt::format("move the repository {} to {}", from, to));
  }
  base::sync_at(AT_FDCWD, base::split_path(to).first);
  if (!link.empty()) {
    base::replace_link_at(AT_FDCWD, from, link);  // for programs that use the old path
  }
  base::sync_at(AT_FDCWD, base::split_path(from).first);
}

void take_repository(Context& context, const host::Layout& older, const AdoptOutcome& outcome) {
  const auto ours = context.layout.repository();
  if (outcome.repository == RepositoryFate::moved) {
    // Before the move, so that it is private as soon as berth owns it. Without the mark, objects are verified before
    // use.
    const auto theirs = base::open_host_directory(older.repository());
    host::make_private(theirs.get());
    base::unlink_at(theirs.get(), store::private_mark);
    move_repository(older.repository(), ours, path_in_root(context, ours));
  } else if (outcome.repository == RepositoryFate::copied) {
    const auto theirs = repository_of(older);
    const auto root = open_root(context);
    const bool open = host::others_can_reach(root.get(), path_in_root(context, theirs));
    auto store = store::Store::open(store_options(context));
    store.import_from(theirs, open ? store::ImportedFiles::verified_copies : store::ImportedFiles::linked);
    if (open) {
      context.reporter.warning(
          fmt::format("other users can enter {}, whose files the adopted containers share until they are updated; if "
                      "no other program uses it, run: chmod 0700 {}",
                      theirs, theirs));
    }
  }
}

void record_adoption(const Context& context, const AdoptOutcome& outcome) {
  auto adoptions = read_adoptions(context);
  const auto known = std::find_if(adoptions.begin(), adoptions.end(),
                                  [&](const Adoption& adoption) { return adoption.from == outcome.from; });
  const bool moved = outcome.repository == RepositoryFate::moved;
  if (known == adoptions.end()) {
    adoptions.push_back({outcome.from, moved});
  } else {
    known->repository = known->repository || moved;
  }
  write_adoptions(context, adoptions);
}

void take_container(Context& context, const AdoptedPlaces& places, const std::string& name) {
  const auto lock = lock_container(context, name);
  refuse_taken(context, name);
  const AdoptionRecord record{name, places.from(), false};
  host::write_journal(context.layout, name, to_json(record));
  try {
    base::in_context("adopting " + name, [&] {
      places.take(name);
      close_slots(context, places, name);
    });
  } catch (...) {
    places.give_back(name);
    host::remove_journal(context.layout, name);
    throw;
  }
  host::remove_journal(context.layout, name);
  context.reporter.step(fmt::format("adopted {}", name));
}

void give_container_back(Context& context, const AdoptedPlaces& places, const std::string& name) {
  const auto lock = lock_container(context, name);
  const AdoptionRecord record{name, places.from(), true};
  host::write_journal(context.layout, name, to_json(record));
  drop_own_slots(context, places, name);
  places.give_back(name);
  host::remove_journal(context.layout, name);
  context.reporter.step(fmt::format("returned {} to atomic", name));
}

/// Returns the repository with the last container. May be repeated after an interruption.
void give_repository_back(const Context& context, const host::Layout& older, const AdoptOutcome& outcome) {
  auto adoptions = read_adoptions(context);
  std::erase_if(adoptions, [&](const Adoption& adoption) { return adoption.from == outcome.from; });
  const auto theirs = older.on_disk(older.deployments_in_root() + "/.storage") + "/ostree";
  const auto found = base::stat_at(AT_FDCWD, theirs);
  if (outcome.repository == RepositoryFate::moved && !(found && S_ISDIR(found->st_mode)) &&
      is_repository(context.layout.repository())) {
    if (found && S_ISLNK(found->st_mode)) {
      base::unlink_at(AT_FDCWD, theirs);
    }
    move_repository(context.layout.repository(), theirs, "");
    base::unlink_at(base::open_host_directory(theirs).get(),
                    store::private_mark);  // changes by others are not observed from here on
  }
  write_adoptions(context, adoptions);
}

AdoptedContainer plan_return(Context& context, const AdoptedPlaces& places, const std::string& name) {
  const auto deployment = host::installed_deployment(context.layout, name);
  const auto own = own_slots(context, places, name);
  if (std::find(own.begin(), own.end(), host::slot_name(name, deployment.slot)) != own.end()) {
    throw Error(ErrorKind::conflict, fmt::format("{} was updated since it was adopted", name),
                fmt::format("return to the deployment of atomic first, with: berth rollback {}", name));
  }
  refuse_while_one_off_runs(context, {host::slot_name(name, 0), host::slot_name(name, 1)});
  auto directories = places.slots(places.to_directory(), name);
  std::erase_if(directories,
                [&own](const auto& directory) { return std::find(own.begin(), own.end(), directory) != own.end(); });
  auto container = describe(context, deployment, std::move(directories));
  container.dropped = own;
  return container;
}

AdoptOutcome plan_adoption(Context& context, const AdoptedPlaces& places, const host::Layout& older,
                           const AdoptRequest& request) {
  AdoptOutcome outcome;
  outcome.from = places.from();
  outcome.to = places.to();
  if (!places.same()) {
    for (const auto& name : chosen(request.names, places.waiting(), places.from())) {
      refuse_taken(context, name);
      const auto deployment = host::installed_deployment(older, name);
      outcome.containers.push_back(describe(context, deployment, places.slots(places.from_directory(), name)));
    }
    plan_repository(context, older, outcome);
  }
  if (outcome.containers.empty() && outcome.images.empty() && outcome.repository != RepositoryFate::moved) {
    throw Error(ErrorKind::not_found, fmt::format("there is nothing to adopt in {}", places.from()),
                "berth containers list --all and berth images list show what is installed and stored");
  }
  places.refuse_other_file_system();
  return outcome;
}

AdoptOutcome plan_undo(Context& context, const AdoptedPlaces& places, const AdoptRequest& request) {
  AdoptOutcome outcome;
  outcome.from = places.from();
  outcome.to = places.to();
  const auto adopted = places.same() ? std::vector<std::string>() : places.adopted();
  for (const auto& name : chosen(request.names, adopted, places.from())) {
    outcome.containers.push_back(plan_return(context, places, name));
  }
  for (const auto& adoption : read_adoptions(context)) {
    if (adoption.from == outcome.from) {
      const bool last = outcome.containers.size() == adopted.size();
      outcome.repository = adoption.repository && last ? RepositoryFate::moved : RepositoryFate::stays;
      outcome.repository_path = path_in_root(context, context.layout.repository());
      return outcome;
    }
  }
  throw Error(ErrorKind::not_found, fmt::format("nothing was adopted from {}", places.from()),
              "name the directory of atomic with --from");
}

}  // namespace

AdoptOutcome adopt(Context& context, const AdoptRequest& request) {
  const DeploymentsDirectory deployments(context.layout);
  recover_pending(context);
  const AdoptedPlaces places(context, request.from);
  const auto older = atomic_layout(context, request);
  auto outcome = plan_adoption(context, places, older, request);
  if (request.only_plan) {
    return outcome;
  }
  const auto lock = lock_adoptions(context, std::chrono::seconds(context.config.lock_timeout_seconds));
  record_adoption(context, outcome);
  take_repository(context, older, outcome);
  for (const auto& container : outcome.containers) {
    check_stop(context.stop);
    take_container(context, places, container.name);
  }
  outcome.done = true;
  return outcome;
}

AdoptOutcome undo_adoption(Context& context, const AdoptRequest& request) {
  const DeploymentsDirectory deployments(context.layout);
  recover_pending(context);
  const AdoptedPlaces places(context, request.from);
  auto outcome = plan_undo(context, places, request);
  if (request.only_plan) {
    return outcome;
  }
  const auto lock = lock_adoptions(context, std::chrono::seconds(context.config.lock_timeout_seconds));
  for (const auto& container : outcome.containers) {
    check_stop(context.stop);
    give_container_back(context, places, container.name);
  }
  if (places.adopted().empty()) {
    give_repository_back(context, atomic_layout(context, request), outcome);
  }
  outcome.done = true;
  return outcome;
}

base::Json to_json(const AdoptedContainer& container) {
  return {{"container", container.name},          {"image", container.image},
          {"imageId", container.image_id},        {"running", container.running},
          {"directories", container.directories}, {"dropped", container.dropped}};
}

base::Json to_json(const AdoptOutcome& outcome) {
  static constexpr std::array<std::string_view, 5> fates = {"none", "shared", "moved", "copied", "stays"};
  return {
      {"from", outcome.from},
      {"to", outcome.to},
      {"containers", array_of(outcome.containers)},
      {"repository",
       {{"path", or_null(outcome.repository_path)}, {"fate", fates.at(static_cast<std::size_t>(outcome.repository))}}},
      {"images", outcome.images},
      {"done", outcome.done}};
}

}  // namespace berth::ops
