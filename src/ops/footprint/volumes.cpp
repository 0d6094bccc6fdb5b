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

/// Where a volume is: a directory that the administrator may have made a link, and two names in it that are ours.
struct Place {
  std::string above;      ///< /var/lib, or /var/lib/berth
  std::string directory;  ///< of the container
  std::string leaf;
};

Place place_of(const std::string& path) {
  auto [parent, leaf] = base::split_path(path);
  auto [above, directory] = base::split_path(parent);
  return {std::move(above), std::move(directory), std::move(leaf)};
}

struct stat status_of(int directory, const std::string& path) {
  struct stat status {};
  base::check_errno(::fstat(directory, &status), "examine " + path);
  return status;
}

/// A directory of that name in one that is trusted: whoever owns the outer one could exchange it for anything.
base::Fd open_in_trusted(int above, const Place& place) {
  auto directory = base::open_directory_at(above, place.directory);
  const auto path = fmt::format("{}/{}", place.above, place.directory);
  const auto owner = status_of(above, place.above).st_uid;
  if (host::is_of_others(owner) && owner != status_of(directory.get(), path).st_uid) {
    throw host::unsafe_step(place.above, owner, path);
  }
  return directory;
}

/// The directory of the container's volumes; nothing when it does not exist. @throws Error for a link in its place, and
/// when others could lead us there
base::Fd open_container(int root, const Place& place) {
  const auto above = host::find_trusted_directory(root, place.above);
  if (!above) {
    return {};
  }
  try {
    return open_in_trusted(above->get(), place);
  } catch (const Error& error) {
    if (error.kind() == ErrorKind::not_found) {
      return {};
    }
    throw;
  }
}

/// As open_container, made if need be: closed, as is the one above it when that is berth's own.
base::Fd make_container(const Context& context, int root, const Place& place) {
  const auto [outer, own] = base::split_path(place.above);
  std::vector<std::string> created;
  if (own == "berth" && !host::host_exists(root, place.above)) {
    const auto directory = host::make_directory_in_root(root, outer, created);
    if (::mkdirat(directory.get(), own.c_str(), closed) != 0 && errno != EEXIST) {
      base::throw_errno("create " + place.above);
    }
    base::sync_at(directory.get(), ".");
  }
  const auto above = host::make_directory_in_root(root, place.above, created);
  const auto owner = status_of(above.get(), place.above).st_uid;
  const auto path = fmt::format("{}/{}", place.above, place.directory);
  if (host::is_of_others(owner) && !base::stat_at(above.get(), place.directory)) {
    throw host::unsafe_step(place.above, owner, path);  // it would be ours
  }
  if (::mkdirat(above.get(), place.directory.c_str(), closed) != 0 && errno != EEXIST) {
    base::throw_errno("create " + path);
  }
  base::sync_at(above.get(), ".");
  if (own == "berth") {
    base::check_errno(::fchmod(above.get(), closed), "set the mode of " + place.above);
  }
  auto container = open_in_trusted(above.get(), place);
  if (place.above == context.layout.volumes_in_root()) {
    base::check_errno(::fchmod(container.get(), closed), "set the mode of " + place.directory);
  }
  return container;
}

/// The mount that a file is on (statx(2)); 0 when it cannot be told.
std::uint64_t mount_of(int directory, const std::string& name) {
  struct statx status {};
  const int flags = AT_SYMLINK_NOFOLLOW | (name.empty() ? AT_EMPTY_PATH : 0);
  return ::statx(directory, name.c_str(), flags, STATX_MNT_ID, &status) == 0 ? status.stx_mnt_id : 0;
}

bool is_empty(int directory, const std::string& name) {
  return base::list_directory(base::open_directory_at(directory, name).get()).empty();
}

/// The innermost directory of a path that exists.
base::Fd nearest(int root, std::string path) {
  while (path != "/" && !path.empty() && !host::host_exists(root, path)) {
    path = base::split_path(path).first;
  }
  return base::open_in_root(root, path.empty() ? "/" : path, O_RDONLY | O_DIRECTORY);
}

bool exists(int root, const std::string& path) {
  const auto place = place_of(path);
  const auto container = open_container(root, place);
  return container && base::stat_at(container.get(), place.leaf);
}

/// Why the directory cannot be renamed; empty when it can.
std::string obstacle(int root, const NotedMove& move) {
  const auto from = place_of(move.from);
  base::Fd container;
  try {
    container = open_container(root, from);
  } catch (const Error& error) {
    return error.kind() == ErrorKind::not_permitted ? error.message() : "a link leads to it";
  }
  const auto status = base::stat_at(container.get(), from.leaf);
  if (!S_ISDIR(status->st_mode)) {
    return "it is no directory";
  }
  if (mount_of(container.get(), from.leaf) != mount_of(nearest(root, base::split_path(move.to).first).get(), "")) {
    return "it is on another file system";
  }
  const auto to = place_of(move.to);
  const auto target = open_container(root, to);
  const auto found = target ? base::stat_at(target.get(), to.leaf) : std::nullopt;
  if (found && (!S_ISDIR(found->st_mode) || !is_empty(target.get(), to.leaf))) {
    return fmt::format("{} is there already", move.to);
  }
  return {};
}

/// Destination in the container → directory on the host, of the volumes in `directory`.
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

/// Both places that the volumes of a container with these values may have.
std::vector<std::string> directories_of(const Context& context, const render::Values& values) {
  const auto& name = values.find("NAME")->second;
  return {render::former_volume_directory(values), render::volume_directory(values),
          fmt::format("{}/{}", context.layout.volumes_in_root(), name)};
}

/// The config.json of a deployment, if berth made it: an image that brings its own says itself where its data are.
/// nullopt for one that is damaged.
std::optional<base::Json> read_config(const std::string& path) {
  try {
    const auto text = base::read_file_at(AT_FDCWD, path + "/config.json", host::deployment_text_limit);
    return text ? base::parse_json(*text, path + "/config.json") : base::Json::object();
  } catch (const Error& error) {
    if (error.kind() == ErrorKind::interrupted) {
      throw;
    }
    return std::nullopt;
  }
}

base::Json generated_config(const std::string& path) {
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

std::string waiting_leaf(const NotedFill& fill) {
  return fmt::format("{}{}", base::temporary_prefix, base::digest_of(fill.path).short_hex());
}

}  // namespace

std::string staying_volume_directory(const Context& context, const host::Deployment& before) {
  const auto values = values_of(before.info, before.name);
  auto former = render::former_volume_directory(values);
  const auto root = open_root(context);
  const auto belongs = directories_of(context, values).back();
  for (const auto& [destination, source] : volumes_in(former, generated_config(before.path))) {
    const NotedMove move{source, render::volume_source(belongs, destination)};
    if (!host::host_exists(root.get(), source)) {
      continue;
    }
    if (const auto reason = obstacle(root.get(), move); !reason.empty()) {
      context.reporter.warning(
          fmt::format("the volumes of {} stay in {}: {} cannot be moved, for {}", before.name, former, source, reason));
      return former;
    }
  }
  return {};
}

std::vector<NotedMove> volume_moves(const Context& context, const host::Deployment& before, const std::string& config,
                                    const host::DeploymentInfo& info) {
  std::vector<NotedMove> moves;
  const auto values = values_of(before.info, before.name);
  const auto new_values = values_of(info, before.name);
  if (config.empty() || render::former_volume_directory(values) != render::former_volume_directory(new_values)) {
    return moves;  // another STATE_DIRECTORY is the administrator's wish, who moves the data
  }
  const auto root = open_root(context);
  const auto old_config = read_config(before.path);
  const auto from = chosen_volumes(context, values, old_config.value_or(base::Json::object()));
  const auto source_of = [&](const std::string& destination) {
    const auto old = from.find(destination);
    if (old_config) {
      return old == from.end() ? std::string() : old->second;
    }
    return render::volume_source(render::former_volume_directory(values), destination);  // if it is there
  };
  for (const auto& [destination, place] :
       chosen_volumes(context, new_values, base::parse_json(config, "config.json"))) {
    const auto source = source_of(destination);
    if (source.empty() || source == place || !host::host_exists(root.get(), source)) {
      continue;
    }
    NotedMove move{source, place};
    if (const auto reason = obstacle(root.get(), move); !reason.empty()) {
      throw Error(ErrorKind::conflict, fmt::format("{} cannot be moved to {}: {}", move.from, move.to, reason),
                  fmt::format("stop {}, move it yourself, and try again", before.name));
    }
    moves.push_back(std::move(move));
  }
  return moves;
}

std::vector<NotedFill> volumes_to_fill(const Context& context, const InstallPlan& plan,
                                       const std::vector<NotedMove>& moves) {
  std::vector<NotedFill> fills;
  if (context.layout.preinstalling()) {
    return fills;  // the booted system has volumes of its own, which systemd-tmpfiles fills
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

void move_volume(const Context& context, const NotedMove& move) {
  const auto root = open_root(context);
  const auto from = place_of(move.from);
  const auto to = place_of(move.to);
  const auto source = open_container(root.get(), from);
  const auto target = make_container(context, root.get(), to);
  base::check_errno(::renameat(source.get(), from.leaf.c_str(), target.get(), to.leaf.c_str()),
                    fmt::format("move {} to {}", move.from, move.to));
  base::sync_at(target.get(), ".");
  base::sync_at(source.get(), ".");
}

void move_volume_back(const Context& context, const NotedMove& move) {
  const auto root = open_root(context);
  if (exists(root.get(), move.to) && !exists(root.get(), move.from)) {
    move_volume(context, {move.to, move.from});
  }
}

void remove_left_directories(const Context& context, const std::vector<NotedMove>& moves) noexcept {
  try {
    const auto root = open_root(context);
    for (const auto& move : moves) {
      const auto place = place_of(move.from);
      if (const auto above = host::find_trusted_directory(root.get(), place.above)) {
        ::unlinkat(above->get(), place.directory.c_str(), AT_REMOVEDIR);
      }
    }
  } catch (const std::exception&) {  // NOLINT(bugprone-empty-catch): an empty directory may stay
  }
}

void fill_volume(const Context& context, const NotedFill& fill, int rootfs) {
  const auto root = open_root(context);
  const auto place = place_of(fill.path);
  const auto container = make_container(context, root.get(), place);
  const auto waiting = waiting_leaf(fill);
  base::remove_tree_at(container.get(), waiting);
  base::check_errno(::mkdirat(container.get(), waiting.c_str(), closed), "create the directory " + fill.path);
  const auto copy = base::open_directory_at(container.get(), waiting);
  const auto content = base::open_in_root(rootfs, fill.content, O_RDONLY | O_DIRECTORY);
  context.reporter.step(fmt::format("filling {} with what the image has at {}", fill.path, fill.content));
  host::copy_tree(content.get(), copy.get(), fill.path, context.stop);
  base::check_errno(::syncfs(copy.get()), "write " + fill.path + " to disk");
  base::check_errno(
      ::renameat2(container.get(), waiting.c_str(), container.get(), place.leaf.c_str(), RENAME_NOREPLACE),
      "create " + fill.path);
  base::sync_at(container.get(), ".");
}

void remove_filled_volume(const Context& context, const NotedFill& fill) {
  const auto root = open_root(context);
  const auto place = place_of(fill.path);
  const auto container = open_container(root.get(), place);
  if (!container) {
    return;
  }
  const auto waiting = waiting_leaf(fill);
  if (base::stat_at(container.get(), waiting)) {
    base::remove_tree_at(container.get(), waiting);  // and what is in the place, if anything, is somebody else's
  } else {
    base::remove_tree_at(container.get(), place.leaf);
  }
  base::sync_at(container.get(), ".");
}

void report_former_volumes(const Context& context, const InstallPlan& plan) {
  const auto root = open_root(context);
  const auto former = render::former_volume_directory(plan.values);
  for (const auto& volume : plan.volumes) {
    const auto old = render::volume_source(former, volume.destination);
    if (old != volume.source && host::host_exists(root.get(), old) && !host::host_exists(root.get(), volume.source)) {
      context.reporter.warning(
          fmt::format("{} holds data of an earlier installation, and the volume is now {}; to use them, move that "
                      "directory there before the first start",
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
    for (const auto& [destination, source] : volumes_in(directory, generated_config(path))) {
      names.insert(base::split_path(source).second);
    }
  }
  return names;
}

void close_former_volumes_of(const Context& context, const host::Deployment& deployment) {
  const auto former = render::former_volume_directory(values_of(deployment.info, deployment.name));
  const auto root = open_root(context);
  const auto container = open_container(root.get(), place_of(former + "/x"));
  struct stat status {};
  if (!container || ::fstat(container.get(), &status) != 0 || (status.st_mode & 0077U) == 0) {
    return;
  }
  auto names = names_in(context, deployment.name, former);
  for (const auto& [destination, source] : volumes_in(former, generated_config(deployment.path))) {
    names.insert(base::split_path(source).second);  // of one that is part of the operating system
  }
  if (names.empty()) {
    return;
  }
  const auto found = base::list_directory(container.get());
  const bool ours =
      status.st_uid == ::geteuid() && std::includes(names.begin(), names.end(), found.begin(), found.end());
  if (ours) {
    base::check_errno(::fchmod(container.get(), closed), "set the mode of " + former);
  } else {
    context.reporter.warning(
        fmt::format("others can use what {} writes below {}, which holds other things too; "
                    "`berth update {}` moves its volumes",
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
