// SPDX-License-Identifier: LGPL-2.1-or-later
#include "ops/images/mount.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <optional>
#include <set>
#include <sstream>
#include <utility>

#include "base/error.hpp"
#include "base/file.hpp"
#include "base/json.hpp"
#include "base/scope_exit.hpp"
#include "host/files/private_directory.hpp"
#include "host/machine/facts.hpp"
#include "host/state/deployment.hpp"
#include "ops/images/deployments_in_use.hpp"
#include "ops/images/image_lookup.hpp"

namespace berth::ops {

namespace {

using base::Error;
using base::ErrorKind;

constexpr const char* target_key = "mounted-at";
constexpr const char* copy_key = "laid-out-in";  ///< user mode: device and inode of the directory with the copy
constexpr const char* mode_key = "mode-before";  ///< user mode: mode of that directory before, for umount
constexpr std::uint64_t mountinfo_limit = std::uint64_t{16} << 20U;  // bytes

struct stat status_of(int directory) {
  struct stat status {};
  base::check_errno(::fstat(directory, &status), "examine a directory");
  return status;
}

/// @return ID of the mount that `path` is on (statx(2) STATX_MNT_ID), without following a link in the last component; 0
///   when it does not exist
std::uint64_t mount_id(int directory, const std::string& path) {
  struct statx status {};
  const int flags = AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT | (path.empty() ? AT_EMPTY_PATH : 0);
  return ::statx(directory, path.c_str(), flags, STATX_MNT_ID, &status) == 0 ? status.stx_mnt_id : 0;
}

/// The directory that the user named, opened once, so that later renames do not matter.
struct MountPoint {
  base::Fd directory;
  std::string path;  ///< canonical
  std::uint64_t mount = 0;
};

MountPoint open_mount_point(const std::string& directory) {
  auto opened = base::find_host_directory(directory);
  if (!opened) {
    throw Error(ErrorKind::not_found, fmt::format("the directory {} does not exist", directory), "create it first");
  }
  MountPoint point;
  point.directory = std::move(*opened);
  point.path = base::full_path(point.directory.get(), ".");
  point.mount = mount_id(point.directory.get(), "");
  return point;
}

std::string mounts_path(const Context& context) {
  return context.layout.deployments() + "/" + mounts_directory;
}

/// Follows no link: only berth creates this directory.
base::Fd open_mounts(const Context& context) {
  return base::open_directory_at(AT_FDCWD, mounts_path(context));
}

base::Fd make_mounts(const Context& context) {
  const auto deployments = open_deployments(context);
  if (::mkdirat(deployments.get(), mounts_directory, S_IRWXU) != 0 && errno != EEXIST) {
    base::throw_errno("create the directory " + mounts_path(context));
  }
  return base::open_directory_at(deployments.get(), mounts_directory);
}

/// One record: the directory .mounts/ID.
struct View {
  std::string id;
  std::string target;
  std::string copy;        ///< user mode: identity_of the directory with the copy; empty for a mount
  mode_t mode_before = 0;  ///< of the directory with the copy
};

std::vector<View> recorded_views(const Context& context) {
  std::vector<View> views;
  if (!base::stat_at(AT_FDCWD, mounts_path(context))) {
    return views;
  }
  const auto directory = open_mounts(context);
  for (const auto& id : base::list_directory(directory.get())) {
    View view{id, "", "", 0};
    try {
      if (const auto text = base::read_file_at(directory.get(), id + "/info", base::json_size_limit)) {
        const auto json = base::parse_json(*text, id + "/info");
        const base::JsonView info(json, id + "/info");
        view.target = info.string_or(target_key, "");
        view.copy = info.string_or(copy_key, "");
        view.mode_before = json.value(mode_key, 0U) & (S_IRWXU | S_IRWXG | S_IRWXO);
      }
    } catch (const Error&) {
      view.target.clear();  // the record is incomplete
    }
    views.push_back(std::move(view));
  }
  return views;
}

/// Replaces the octal escapes of proc(5) mountinfo: blank, tab, newline and backslash.
std::string unescaped(const std::string& field) {
  std::string text;
  for (std::size_t i = 0; i < field.size(); ++i) {
    if (field[i] == '\\' && i + 3 < field.size()) {
      text += static_cast<char>(std::stoi(field.substr(i + 1, 3), nullptr, 8));
      i += 3;
    } else {
      text += field[i];
    }
  }
  return text;
}

struct MountEntry {
  std::uint64_t id = 0;
  std::string root;   ///< within its file system
  std::string point;  ///< where it is mounted
};

std::vector<MountEntry> mounts_of(const std::string& pid) {
  std::vector<MountEntry> entries;
  std::string text;
  try {
    const auto file = base::open_at(AT_FDCWD, "/proc/" + pid + "/mountinfo", O_RDONLY);
    text = base::read_all(file.get(), mountinfo_limit, "mountinfo");
  } catch (const Error&) {
    return entries;  // the process has exited
  }
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    std::istringstream fields(line);
    std::string skipped;
    MountEntry entry;
    fields >> entry.id >> skipped >> skipped >> entry.root >> entry.point;
    entries.push_back({entry.id, unescaped(entry.root), unescaped(entry.point)});
  }
  return entries;
}

bool is_view(const MountEntry& entry, const std::string& id) {
  return entry.root.ends_with(fmt::format("/{}/{}/rootfs", mounts_directory, id));
}

/// @return IDs of the views that are mounted in any mount namespace of a visible process. /proc/PID/ns/mnt identifies
///   the namespace.
std::set<std::string> mounted_ids(const std::vector<View>& views) {
  std::set<std::string> ids;
  std::set<std::string> namespaces;
  const auto processes = base::open_host_directory("/proc");
  for (const auto& pid : base::list_directory(processes.get())) {
    if (pid.find_first_not_of("0123456789") != std::string::npos) {
      continue;
    }
    std::optional<std::string> name;
    try {
      name = base::read_link_at(processes.get(), pid + "/ns/mnt");
    } catch (const Error&) {
      continue;  // the process has exited, or may not be inspected
    }
    if (!name || !namespaces.insert(*name).second) {
      continue;
    }
    for (const auto& entry : mounts_of(pid)) {
      for (const auto& view : views) {
        if (is_view(entry, view.id)) {
          ids.insert(view.id);
        }
      }
    }
  }
  return ids;
}

/// Device and inode, which distinguish a directory from a later one of the same path.
std::string identity_of(const struct stat& status) {
  return fmt::format("{}:{}", status.st_dev, status.st_ino);
}

/// @return empty when the directory does not exist
std::string identity_of(const std::string& directory) {
  struct stat status {};
  return ::stat(directory.c_str(), &status) == 0 ? identity_of(status) : "";
}

std::vector<View> stale_views(const Context& context) {
  auto views = recorded_views(context);
  if (context.layout.user()) {
    std::erase_if(views, [](const View& view) { return !view.copy.empty() && identity_of(view.target) == view.copy; });
  } else if (!views.empty()) {
    const auto mounted = mounted_ids(views);
    std::erase_if(views, [&mounted](const View& view) { return mounted.contains(view.id); });
  }
  return views;
}

/// Mounts `source` at `target`; it is read-only when it becomes visible (open_tree(2), mount_setattr(2),
/// move_mount(2)).
void mount_read_only(int source, int target, const std::string& directory) {
  const base::Fd tree(base::check_errno(::open_tree(source, "", AT_EMPTY_PATH | OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC),
                                        "clone the view"));
  mount_attr attributes{};
  attributes.attr_set = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV;
  base::check_errno(::mount_setattr(tree.get(), "", AT_EMPTY_PATH, &attributes, sizeof attributes),
                    "make the view read-only");
  base::check_errno(::move_mount(tree.get(), "", target, "", MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH),
                    "mount the view at " + directory);
}

void refuse_second_view(const Context& context, const std::string& target) {
  const auto entries = mounts_of("self");
  for (const auto& view : recorded_views(context)) {
    if (view.target == target && std::any_of(entries.begin(), entries.end(), [&](const MountEntry& entry) {
          return entry.point == target && is_view(entry, view.id);
        })) {
      throw Error(ErrorKind::conflict, fmt::format("an image is already mounted at {}", target),
                  fmt::format("unmount it first with: berth umount {}", target));
    }
  }
}

/// @param copied user mode: the directory before the files are copied into it
std::string view_info(const store::StoredImage& image, const std::string& target,
                      const std::optional<struct stat>& copied) {
  host::DeploymentInfo info;
  info.image = image.name;
  info.revision = image.id;
  info.ostree_commit = image.commit;
  info.document[target_key] = target;
  if (copied) {
    info.document[copy_key] = identity_of(*copied);
    info.document[mode_key] = copied->st_mode & (S_IRWXU | S_IRWXG | S_IRWXO);
  }
  return host::write_info(info);
}

/// @return the image with a merged commit, as store::Store::find returns it
store::StoredImage merged_image(const Context& context, store::Store& store, const std::string& text) {
  auto image = choose_image(context, store, text);
  if (!image.merged && !image.name.empty()) {
    if (auto found = store.find(image::parse_written_name(image.name))) {
      return std::move(*found);
    }
  }
  if (image.name.empty()) {
    throw Error(ErrorKind::usage, fmt::format("{} is a layer", text), "give the name of an image or container");
  }
  return image;
}

/// A user can change the files of a view, so they are copies and not links to those of the repository.
void refuse_unless_empty(int directory, const std::string& target) {
  if (!base::list_directory(directory).empty()) {
    throw Error(ErrorKind::conflict, fmt::format("the directory {} is not empty", target),
                "use an empty directory; the files are copied into it");
  }
}

void remove_copy(const Context& context, const MountPoint& point) {
  for (const auto& entry : base::list_directory(point.directory.get())) {
    base::remove_tree_at(point.directory.get(), entry);
  }
  const auto copy = identity_of(status_of(point.directory.get()));
  for (const auto& view : recorded_views(context)) {
    if (view.copy == copy) {
      if (view.mode_before != 0) {
        base::check_errno(::fchmod(point.directory.get(), view.mode_before), "restore the mode of " + point.path);
      }
      base::remove_tree_at(open_mounts(context).get(), view.id);
    }
  }
}

bool holds_copy(const Context& context, const MountPoint& point) {
  const auto views = recorded_views(context);
  const auto copy = identity_of(status_of(point.directory.get()));
  return std::any_of(views.begin(), views.end(),
                     [&](const View& view) { return view.target == point.path && view.copy == copy; });
}

/// Unmounts the mount that was found at the directory, and no other. A mount point cannot be renamed, and the directory
/// above it is kept open.
void unmount_exactly(const MountPoint& point) {
  const auto [above, name] = base::split_path(point.path);
  const auto directory = base::open_host_directory(above);
  if (mount_id(directory.get(), name) != point.mount) {
    throw Error(ErrorKind::conflict, fmt::format("{} was moved during the operation", point.path), "try again");
  }
  if (::umount2(fmt::format("/proc/self/fd/{}/{}", directory.get(), name).c_str(), UMOUNT_NOFOLLOW) != 0) {
    if (errno == EBUSY) {
      throw Error(ErrorKind::conflict, fmt::format("{} is in use", point.path),
                  fmt::format("list the processes with: fuser --mount --verbose {}", point.path));
    }
    base::throw_errno("unmount " + point.path);
  }
}

void unmount(const Context& context, MountPoint point) {
  point.directory.reset();  // an open directory keeps its mount busy
  const auto entries = mounts_of("self");
  const auto here = std::find_if(entries.begin(), entries.end(), [&point](const MountEntry& entry) {
    return entry.id == point.mount && entry.point == point.path;
  });
  for (const auto& view : recorded_views(context)) {
    if (here != entries.end() && is_view(*here, view.id)) {
      unmount_exactly(point);
      base::remove_tree_at(open_mounts(context).get(), view.id);
      return;
    }
  }
  throw Error(ErrorKind::not_found, fmt::format("no image is mounted at {}", point.path),
              "berth mount IMAGE DIR mounts one");
}

/// Mounts the checkout. Its root directory is made private, so that only root can access the files of the image.
void mount_checkout(int view, const MountPoint& point, const std::string& directory) {
  const auto rootfs = base::open_directory_at(view, "rootfs");
  host::make_private(rootfs.get());
  mount_read_only(rootfs.get(), point.directory.get(), directory);
}

}  // namespace

void mount_view(Context& context, const std::string& image_text, const std::string& directory) {
  const auto point = open_mount_point(directory);
  auto store = open_images(context, image_text);
  store.hold();  // until it is mounted, because prune does not recognize the view as in use before
  const auto image = merged_image(context, store, image_text);
  const bool copies = context.layout.user().has_value();
  refuse_second_view(context, point.path);
  if (copies) {
    refuse_unless_empty(point.directory.get(), point.path);
  }
  const auto mounts = make_mounts(context);
  const auto id = host::random_uuid();
  base::check_errno(::mkdirat(mounts.get(), id.c_str(), S_IRWXU), "create a directory for the view");
  base::ScopeExit undo([&]() noexcept {
    try {
      base::remove_tree_at(mounts.get(), id);
    } catch (...) {
      return;  // prune removes it
    }
  });
  const auto view = base::open_directory_at(mounts.get(), id);
  const auto before = status_of(point.directory.get());
  base::create_file_at(view.get(), "info", view_info(image, point.path, copies ? std::optional(before) : std::nullopt),
                       0600);
  if (copies) {
    host::make_private(point.directory.get());
  }
  base::ScopeExit reopen([&]() noexcept { ::fchmod(point.directory.get(), before.st_mode); });
  base::in_context([&] { return fmt::format("checking out {}", image.name); },
                   [&] {
                     store.checkout(image.commit, copies ? point.directory.get() : view.get(), copies ? "." : "rootfs",
                                    copies ? store::CheckoutFiles::copied : store::CheckoutFiles::linked);
                   });
  check_stop(context.stop);
  if (copies) {
    host::make_private(point.directory.get());  // the checkout has set the mode of the image's root
  } else {
    mount_checkout(view.get(), point, directory);
  }
  reopen.dismiss();
  undo.dismiss();
}

void unmount_view(Context& context, const std::string& directory) {
  auto point = open_mount_point(directory);
  if (holds_copy(context, point)) {
    remove_copy(context, point);
  } else {
    unmount(context, std::move(point));
  }
}

std::vector<std::string> stale_mounts(const Context& context) {
  std::vector<std::string> paths;
  for (const auto& view : stale_views(context)) {
    paths.push_back(mounts_path(context) + "/" + view.id);
  }
  return paths;
}

void remove_stale_mounts(const Context& context) {
  for (const auto& view : stale_views(context)) {
    base::remove_tree_at(open_mounts(context).get(), view.id);
  }
}

}  // namespace berth::ops
