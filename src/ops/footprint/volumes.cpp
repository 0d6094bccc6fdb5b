// SPDX-License-Identifier: LGPL-2.1-or-later
#include "ops/footprint/volumes.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <vector>

#include "base/digest.hpp"
#include "base/error.hpp"
#include "base/file.hpp"
#include "base/json.hpp"
#include "host/files/host_file.hpp"
#include "host/files/root_directory.hpp"
#include "host/files/tree_copy.hpp"
#include "ops/footprint/former_directories.hpp"
#include "render/spec/volumes.hpp"

namespace berth::ops {

namespace {

using base::Error;
using base::ErrorKind;

constexpr mode_t closed = 0700;

/// Path of a volume, split: a directory that the administrator may have replaced by a link, and two names below it.
struct VolumePath {
  std::string above;      ///< /var/lib, or /var/lib/berth
  std::string directory;  ///< of the container
  std::string leaf;
};

VolumePath split_volume_path(const std::string& path) {
  auto [parent, leaf] = base::split_path(path);
  auto [above, directory] = base::split_path(parent);
  return {std::move(above), std::move(directory), std::move(leaf)};
}

struct stat status_of(int directory, const std::string& path) {
  struct stat status {};
  base::check_errno(::fstat(directory, &status), "examine " + path);
  return status;
}

/// Opens the container's directory. The owner of the directory above could replace it, so that must be root, the user
/// of this process, or the owner of both.
/// @return nullopt when it does not exist
std::optional<base::Fd> find_in_trusted(int above, const VolumePath& volume) {
  auto directory = base::find_directory_at(above, volume.directory);
  const auto path = fmt::format("{}/{}", volume.above, volume.directory);
  const auto owner = status_of(above, volume.above).st_uid;
  if (host::is_of_others(owner) && directory && owner != status_of(directory->get(), path).st_uid) {
    throw host::unsafe_step(volume.above, owner, path);
  }
  return directory;
}

/// Opens the directory of the container's volumes.
/// @return nullopt when it does not exist
/// @throws Error when it is a link, and Error(not_permitted) when other users could have replaced it
std::optional<base::Fd> find_container(int root, const VolumePath& volume) {
  const auto above = host::find_trusted_directory(root, volume.above);
  if (!above) {
    return std::nullopt;
  }
  return find_in_trusted(above->get(), volume);
}

/// @throws Error(not_found) when the directory of the container's volumes was not found
base::Fd existing(std::optional<base::Fd> container, const VolumePath& volume) {
  if (!container) {
    base::throw_errno(fmt::format("open {}/{}", volume.above, volume.directory), ENOENT);
  }
  return std::move(*container);
}

/// Opens the directory of the container's volumes, and creates it if needed, without access for other users. The same
/// applies to the directory above when its name is `berth`.
base::Fd make_container(const Context& context, int root, const VolumePath& volume) {
  const auto [outer, own] = base::split_path(volume.above);
  std::vector<std::string> created;
  if (own == "berth" && !host::host_exists(root, volume.above)) {
    const auto directory = host::make_directory_in_root(root, outer, created);
    if (::mkdirat(directory.get(), own.c_str(), closed) != 0 && errno != EEXIST) {
      base::throw_errno("create " + volume.above);
    }
    base::sync_at(directory.get(), ".");
  }
  const auto above = host::make_directory_in_root(root, volume.above, created);
  const auto owner = status_of(above.get(), volume.above).st_uid;
  const auto path = fmt::format("{}/{}", volume.above, volume.directory);
  if (host::is_of_others(owner) && !base::stat_at(above.get(), volume.directory)) {
    throw host::unsafe_step(volume.above, owner, path);  // that user could replace it afterwards
  }
  if (::mkdirat(above.get(), volume.directory.c_str(), closed) != 0 && errno != EEXIST) {
    base::throw_errno("create " + path);
  }
  base::sync_at(above.get(), ".");
  if (own == "berth") {
    base::check_errno(::fchmod(above.get(), closed), "set the mode of " + volume.above);
  }
  auto container = existing(find_in_trusted(above.get(), volume), volume);
  if (volume.above == context.layout.volumes_in_root()) {
    base::check_errno(::fchmod(container.get(), closed), "set the mode of " + volume.directory);
  }
  return container;
}

/// @return the ID of the mount that a file is on (statx(2)); 0 when it is not known
std::uint64_t mount_of(int directory, const std::string& name) {
  struct statx status {};
  const int flags = AT_SYMLINK_NOFOLLOW | (name.empty() ? AT_EMPTY_PATH : 0);
  return ::statx(directory, name.c_str(), flags, STATX_MNT_ID, &status) == 0 ? status.stx_mnt_id : 0;
}

bool is_empty(int directory, const std::string& name) {
  return base::list_directory(base::open_directory_at(directory, name).get()).empty();
}

/// Opens the innermost existing directory of a path.
base::Fd nearest(int root, std::string path) {
  while (path != "/" && !path.empty() && !host::host_exists(root, path)) {
    path = base::split_path(path).first;
  }
  return base::open_in_root(root, path.empty() ? "/" : path, O_RDONLY | O_DIRECTORY);
}

bool exists(int root, const std::string& path) {
  const auto volume = split_volume_path(path);
  const auto container = find_container(root, volume);
  return container && base::stat_at(container->get(), volume.leaf);
}

/// @return the reason why a volume cannot be renamed; empty when it can
std::string obstacle(int root, const RecordedMove& move) {
  const auto from = split_volume_path(move.from);
  base::Fd container;
  try {
    container = existing(find_container(root, from), from);
  } catch (const Error& error) {
    return error.kind() == ErrorKind::not_permitted ? error.message() : "its path contains a link";
  }
  const auto status = base::stat_at(container.get(), from.leaf);
  if (!S_ISDIR(status->st_mode)) {
    return "it is not a directory";
  }
  if (mount_of(container.get(), from.leaf) != mount_of(nearest(root, base::split_path(move.to).first).get(), "")) {
    return "it is on another file system";
  }
  const auto to = split_volume_path(move.to);
  const auto target = find_container(root, to);
  const auto found = target ? base::stat_at(target->get(), to.leaf) : std::nullopt;
  if (found && (!S_ISDIR(found->st_mode) || !is_empty(target->get(), to.leaf))) {
    return fmt::format("{} exists already", move.to);
  }
  return {};
}

/// @return destination in the container → directory on the host, for the volumes in `directory`
std::map<std::string, std::string> volumes_in(const std::string& directory, const base::Json& config) {
  std::map<std::string, std::string> result;
  for (const auto& mount : config.value("mounts", base::Json::array())) {
    const auto destination = mount.value("destination", "");
    const auto source = mount.value("source", "");
    if (destination.size() > 1 && destination.starts_with('/') &&
        source == render::volume_source(directory, destination)) {
      result.emplace(destination, source);
    }
  }
  return result;
}

render::Values values_of(const host::DeploymentInfo& info, const std::string& name) {
  render::Values values(info.values.begin(), info.values.end());
  values.insert_or_assign("NAME", name);
  return values;
}

/// @return the directories in which the volumes of a container with these values may be
std::vector<std::string> directories_of(const Context& context, const render::Values& values) {
  const auto& name = values.find("NAME")->second;
  return {render::former_volume_directory(values), render::volume_directory(values),
          fmt::format("{}/{}", context.layout.volumes_in_root(), name)};
}

/// Reads the config.json of a deployment.
/// @return an empty object when it does not exist, nullopt when it is damaged
std::optional<base::Json> read_config(const std::string& path) {
  try {
    const auto text = base::read_file_at(AT_FDCWD, path + "/config.json", host::deployment_text_limit);
    return text ? base::parse_json(*text, path + "/config.json") : base::Json::object();
  } catch (const Error&) {
    return std::nullopt;
  }
}

base::Json readable_config(const std::string& path) {
  return read_config(path).value_or(base::Json::object());
}

std::map<std::string, std::string> chosen_volumes(const Context& context, const render::Values& values,
                                                  const base::Json& config) {
  std::map<std::string, std::string> result;
  for (const auto& directory : directories_of(context, values)) {
    result.merge(volumes_in(directory, config));
  }
  return result;
}

/// Name of the directory in which the files of a new volume are collected.
std::string temporary_name(const RecordedFill& fill) {
  return fmt::format("{}{}", base::temporary_prefix, base::digest_of(fill.path).short_hex());
}

}  // namespace

std::string staying_volume_directory(const Context& context, const host::Deployment& before) {
  const auto values = values_of(before.info, before.name);
  auto former = render::former_volume_directory(values);
  const auto root = open_root(context);
  const auto belongs = directories_of(context, values).back();
  for (const auto& [destination, source] : volumes_in(former, readable_config(before.path))) {
    const RecordedMove move{source, render::volume_source(belongs, destination)};
    if (!host::host_exists(root.get(), source)) {
      continue;
    }
    if (const auto reason = obstacle(root.get(), move); !reason.empty()) {
      context.reporter.warning(fmt::format("the volumes of {} stay in {}, because {} cannot be moved: {}", before.name,
                                           former, source, reason));
      return former;
    }
  }
  return {};
}

std::vector<RecordedMove> volume_moves(const Context& context, const host::Deployment& before,
                                       const std::string& config, const host::DeploymentInfo& info) {
  std::vector<RecordedMove> moves;
  const auto values = values_of(before.info, before.name);
  const auto new_values = values_of(info, before.name);
  if (config.empty() || render::former_volume_directory(values) != render::former_volume_directory(new_values)) {
    return moves;  // the administrator has set another STATE_DIRECTORY and moves the data
  }
  const auto root = open_root(context);
  const auto old_config = read_config(before.path);
  const auto from = chosen_volumes(context, values, old_config.value_or(base::Json::object()));
  const auto source_of = [&](const std::string& destination) {
    const auto old = from.find(destination);
    if (old_config) {
      return old == from.end() ? std::string() : old->second;
    }
    return render::volume_source(render::former_volume_directory(values), destination);  // checked for existence below
  };
  for (const auto& [destination, target] :
       chosen_volumes(context, new_values, base::parse_json(config, "config.json"))) {
    const auto source = source_of(destination);
    if (source.empty() || source == target || !host::host_exists(root.get(), source)) {
      continue;
    }
    RecordedMove move{source, target};
    if (const auto reason = obstacle(root.get(), move); !reason.empty()) {
      throw Error(ErrorKind::conflict, fmt::format("{} cannot be moved to {}: {}", move.from, move.to, reason),
                  fmt::format("stop {}, move the directory yourself, and try again", before.name));
    }
    moves.push_back(std::move(move));
  }
  return moves;
}

std::vector<RecordedFill> volumes_to_fill(const Context& context, const InstallPlan& plan,
                                          const std::vector<RecordedMove>& moves) {
  std::vector<RecordedFill> fills;
  if (context.layout.preinstalling()) {
    return fills;  // systemd-tmpfiles fills the volumes on the booted system
  }
  const auto root = open_root(context);
  for (const auto& volume : plan.volumes) {
    const bool moved =
        std::any_of(moves.begin(), moves.end(), [&](const auto& move) { return move.to == volume.source; });
    if (plan.unit && !volume.content.empty() && !moved && !host::host_exists(root.get(), volume.source)) {
      fills.push_back({volume.source, volume.content});
    }
  }
  return fills;
}

void move_volume(const Context& context, const RecordedMove& move) {
  const auto root = open_root(context);
  const auto from = split_volume_path(move.from);
  const auto to = split_volume_path(move.to);
  const auto source = existing(find_container(root.get(), from), from);
  const auto target = make_container(context, root.get(), to);
  base::check_errno(::renameat(source.get(), from.leaf.c_str(), target.get(), to.leaf.c_str()),
                    fmt::format("move {} to {}", move.from, move.to));
  base::sync_at(target.get(), ".");
  base::sync_at(source.get(), ".");
}

void move_volume_back(const Context& context, const RecordedMove& move) {
  const auto root = open_root(context);
  if (exists(root.get(), move.to) && !exists(root.get(), move.from)) {
    move_volume(context, {move.to, move.from});
  }
}

void remove_left_directories(const Context& context, const std::vector<RecordedMove>& moves) noexcept {
  try {
    const auto root = open_root(context);
    for (const auto& move : moves) {
      const auto volume = split_volume_path(move.from);
      if (const auto above = host::find_trusted_directory(root.get(), volume.above)) {
        ::unlinkat(above->get(), volume.directory.c_str(), AT_REMOVEDIR);
      }
    }
  } catch (const std::exception&) {  // NOLINT(bugprone-empty-catch): an empty directory may stay
  }
}

void fill_volume(const Context& context, const RecordedFill& fill, int rootfs) {
  const auto root = open_root(context);
  const auto volume = split_volume_path(fill.path);
  const auto container = make_container(context, root.get(), volume);
  const auto temporary = temporary_name(fill);
  base::remove_tree_at(container.get(), temporary);
  base::check_errno(::mkdirat(container.get(), temporary.c_str(), closed), "create the directory " + fill.path);
  const auto copy = base::open_directory_at(container.get(), temporary);
  const auto content = base::open_in_root(rootfs, fill.content, O_RDONLY | O_DIRECTORY);
  context.reporter.step(fmt::format("filling {} from {} of the image", fill.path, fill.content));
  host::copy_tree(content.get(), copy.get(), fill.path, context.stop);
  base::check_errno(::syncfs(copy.get()), "write " + fill.path + " to disk");
  base::check_errno(
      ::renameat2(container.get(), temporary.c_str(), container.get(), volume.leaf.c_str(), RENAME_NOREPLACE),
      "create " + fill.path);
  base::sync_at(container.get(), ".");
}

void remove_filled_volume(const Context& context, const RecordedFill& fill) {
  const auto root = open_root(context);
  const auto volume = split_volume_path(fill.path);
  const auto container = find_container(root.get(), volume);
  if (!container) {
    return;
  }
  const auto temporary = temporary_name(fill);
  if (base::stat_at(container->get(), temporary)) {
    base::remove_tree_at(container->get(), temporary);  // the volume was not renamed yet
  } else {
    base::remove_tree_at(container->get(), volume.leaf);
  }
  base::sync_at(container->get(), ".");
}

void report_former_volumes(const Context& context, const InstallPlan& plan) {
  const auto root = open_root(context);
  const auto former = render::former_volume_directory(plan.values);
  for (const auto& volume : plan.volumes) {
    const auto old = render::volume_source(former, volume.destination);
    if (old != volume.source && host::host_exists(root.get(), old) && !host::host_exists(root.get(), volume.source)) {
      context.reporter.warning(
          fmt::format("{} holds data of an earlier installation, and the volume is now {}; to use the data, move "
                      "the directory there before the first start",
                      old, volume.source));
    }
  }
}

namespace {

/// The names that the volumes of a container's deployments have in `directory`.
std::set<std::string> names_in(const Context& context, const std::string& name, const std::string& directory) {
  std::set<std::string> names;
  for (const int slot : {0, 1}) {
    const auto path = fmt::format("{}/{}", context.layout.deployments(), host::slot_name(name, slot));
    for (const auto& [destination, source] : volumes_in(directory, readable_config(path))) {
      names.insert(base::split_path(source).second);
    }
  }
  return names;
}

void close_former_volumes_of(const Context& context, const host::Deployment& deployment) {
  const auto former = render::former_volume_directory(values_of(deployment.info, deployment.name));
  const auto root = open_root(context);
  const auto container = find_container(root.get(), split_volume_path(former + "/x"));
  struct stat status {};
  if (!container || ::fstat(container->get(), &status) != 0 || (status.st_mode & 0077U) == 0) {
    return;
  }
  auto names = names_in(context, deployment.name, former);
  for (const auto& [destination, source] : volumes_in(former, readable_config(deployment.path))) {
    names.insert(base::split_path(source).second);  // of a preinstalled container
  }
  if (names.empty()) {
    return;
  }
  const auto found = base::list_directory(container->get());
  const bool can_close =
      status.st_uid == ::geteuid() && std::includes(names.begin(), names.end(), found.begin(), found.end());
  if (can_close) {
    base::check_errno(::fchmod(container->get(), closed), "set the mode of " + former);
  } else {
    context.reporter.warning(
        fmt::format("other users can access the data of {} in {}, which also holds other files; "
                    "`berth update {}` moves the volumes",
                    deployment.name, former, deployment.name));
  }
}

}  // namespace

void close_former_volumes(const Context& context) {
  for (const auto& deployment : host::list_deployments(context.layout).deployments) {
    try {
      close_former_volumes_of(context, deployment);
      close_former_directories(context, deployment);
    } catch (const Error& error) {
      context.reporter.warning(error.what());
    }
  }
}

}  // namespace berth::ops
