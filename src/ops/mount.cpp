#include "ops/mount.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <memory>
#include <optional>
#include <set>
#include <sstream>

#include "base/error.hpp"
#include "base/file.hpp"
#include "base/json.hpp"
#include "base/scope_exit.hpp"
#include "host/deployment.hpp"
#include "host/facts.hpp"
#include "ops/deployments_in_use.hpp"
#include "ops/image_lookup.hpp"

namespace berth::ops {

namespace {

using base::Error;
using base::ErrorKind;

constexpr const char* target_key = "mounted-at";
constexpr const char* place_key = "laid-out-in";  ///< for users: device and inode of the folder that holds the copy
constexpr std::uint64_t mountinfo_limit = std::uint64_t{16} << 20U;  // bytes

std::string real_path(const std::string& directory) {
  const std::unique_ptr<char, decltype(&std::free)> resolved(::realpath(directory.c_str(), nullptr), &std::free);
  if (!resolved && errno == ENOENT) {
    throw Error(ErrorKind::not_found, fmt::format("the folder {} does not exist", directory), "create it first");
  }
  if (!resolved) {
    base::throw_errno("find the folder " + directory);
  }
  return resolved.get();
}

std::string mounts_path(const Session& session) {
  return session.layout.deployments() + "/" + mounts_folder;
}

/// One record: the folder .mounts/ID.
struct View {
  std::string id;
  std::string target;
  std::string place;  ///< of a user's copy, see place_of; empty for a mount
};

std::vector<View> recorded_views(const Session& session) {
  std::vector<View> views;
  if (!base::stat_at(AT_FDCWD, mounts_path(session))) {
    return views;
  }
  const auto folder = base::open_host_folder(mounts_path(session));
  for (const auto& id : base::list_folder(folder.get())) {
    View view{id, "", ""};
    try {
      if (const auto text = base::read_file_at(folder.get(), id + "/info", base::json_size_limit)) {
        const auto json = base::parse_json(*text, id + "/info");
        const base::JsonView info(json, id + "/info");
        view.target = info.string_or(target_key, "");
        view.place = info.string_or(place_key, "");
      }
    } catch (const Error&) {
      view.target.clear();  // a record that was never completed
    }
    views.push_back(std::move(view));
  }
  return views;
}

/// Octal escapes of proc(5) mountinfo: blank, tab, newline and backslash.
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
    return entries;  // the process is gone
  }
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    std::istringstream fields(line);
    std::string skipped;
    MountEntry entry;
    fields >> skipped >> skipped >> skipped >> entry.root >> entry.point;
    entries.push_back({unescaped(entry.root), unescaped(entry.point)});
  }
  return entries;
}

bool shows(const MountEntry& entry, const std::string& id) {
  return entry.root.ends_with(fmt::format("/{}/{}/rootfs", mounts_folder, id));
}

/// Views that are mounted in any mount namespace that we can see: /proc/PID/ns/mnt is one link a namespace.
std::set<std::string> mounted_ids(const std::vector<View>& views) {
  std::set<std::string> ids;
  std::set<std::string> namespaces;
  const auto processes = base::open_host_folder("/proc");
  for (const auto& pid : base::list_folder(processes.get())) {
    if (pid.find_first_not_of("0123456789") != std::string::npos) {
      continue;
    }
    std::optional<std::string> name;
    try {
      name = base::read_link_at(processes.get(), pid + "/ns/mnt");
    } catch (const Error&) {
      continue;  // the process is gone, or not ours to look at
    }
    if (!name || !namespaces.insert(*name).second) {
      continue;
    }
    for (const auto& entry : mounts_of(pid)) {
      for (const auto& view : views) {
        if (shows(entry, view.id)) {
          ids.insert(view.id);
        }
      }
    }
  }
  return ids;
}

/// What tells a folder from one that was made later in its place; empty when there is none.
std::string place_of(const std::string& directory) {
  struct stat status {};
  return ::stat(directory.c_str(), &status) == 0 ? fmt::format("{}:{}", status.st_dev, status.st_ino) : "";
}

std::vector<View> stale_views(const Session& session) {
  auto views = recorded_views(session);
  if (session.layout.user()) {
    std::erase_if(views, [](const View& view) { return !view.place.empty() && place_of(view.target) == view.place; });
  } else if (!views.empty()) {
    const auto mounted = mounted_ids(views);
    std::erase_if(views, [&mounted](const View& view) { return mounted.contains(view.id); });
  }
  return views;
}

/// Mounts `source` at `target`, read-only from the first moment on (open_tree(2), mount_setattr(2), move_mount(2)).
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

void refuse_second_view(const Session& session, const std::string& target) {
  const auto entries = mounts_of("self");
  for (const auto& view : recorded_views(session)) {
    if (view.target == target && std::any_of(entries.begin(), entries.end(), [&](const MountEntry& entry) {
          return entry.point == target && shows(entry, view.id);
        })) {
      throw Error(ErrorKind::conflict, fmt::format("{} shows an image already", target),
                  fmt::format("end it first with: berth umount {}", target));
    }
  }
}

std::string view_info(const store::StoredImage& image, const std::string& target, const std::string& place) {
  host::DeploymentInfo info;
  info.image = image.name;
  info.revision = image.id;
  info.ostree_commit = image.commit;
  info.document[target_key] = target;
  if (!place.empty()) {
    info.document[place_key] = place;
  }
  return host::write_info(info);
}

/// The image as find() gives it: merged.
store::StoredImage merged_image(const Session& session, store::Store& store, const std::string& text) {
  auto image = choose_image(session, store, text);
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

/// Users cannot mount: they get a copy, so that whatever they do with it the repository stays as it is.
void refuse_unless_empty(int folder, const std::string& target) {
  if (!base::list_folder(folder).empty()) {
    throw Error(ErrorKind::conflict, fmt::format("the folder {} is not empty", target),
                "give an empty one: the files are copied into it");
  }
}

void remove_copy(const Session& session, const std::string& target) {
  const auto folder = base::open_host_folder(target);
  for (const auto& entry : base::list_folder(folder.get())) {
    base::remove_tree_at(folder.get(), entry);
  }
  for (const auto& view : recorded_views(session)) {
    if (view.place == place_of(target)) {
      base::remove_tree_at(base::open_host_folder(mounts_path(session)).get(), view.id);
    }
  }
}

bool holds_copy(const Session& session, const std::string& target) {
  const auto views = recorded_views(session);
  return std::any_of(views.begin(), views.end(),
                     [&](const View& view) { return view.target == target && view.place == place_of(target); });
}

void unmount(const Session& session, const std::string& target) {
  const auto entries = mounts_of("self");
  const auto top = std::find_if(entries.rbegin(), entries.rend(),
                                [&target](const MountEntry& entry) { return entry.point == target; });
  for (const auto& view : recorded_views(session)) {
    if (top == entries.rend() || !shows(*top, view.id)) {
      continue;
    }
    if (::umount2(target.c_str(), UMOUNT_NOFOLLOW) != 0) {
      if (errno == EBUSY) {
        throw Error(ErrorKind::conflict, fmt::format("{} is in use", target),
                    fmt::format("see by whom with: fuser --mount --verbose {}", target));
      }
      base::throw_errno("unmount " + target);
    }
    const auto folder = base::open_host_folder(mounts_path(session));
    base::remove_tree_at(folder.get(), view.id);
    return;
  }
  throw Error(ErrorKind::not_found, fmt::format("no image is mounted at {}", target),
              "berth mount IMAGE DIR mounts one");
}

}  // namespace

void mount_view(Session& session, const std::string& image_text, const std::string& directory) {
  const auto target = real_path(directory);
  const base::Fd point = base::open_host_folder(target);
  auto store = open_images(session, image_text);
  store.hold();  // until it is mounted, for only then prune sees that it is in use
  const auto image = merged_image(session, store, image_text);
  const bool copies = session.layout.user().has_value();
  refuse_second_view(session, target);
  if (copies) {
    refuse_unless_empty(point.get(), target);
  }
  base::make_folders_at(AT_FDCWD, mounts_path(session), 0700);
  const auto folder = base::open_host_folder(mounts_path(session));
  const auto id = host::random_uuid();
  base::check_errno(::mkdirat(folder.get(), id.c_str(), 0755), "create a folder for the view");
  base::ScopeExit undo([&]() noexcept {
    try {
      base::remove_tree_at(folder.get(), id);
    } catch (...) {
      return;  // prune removes it
    }
  });
  const auto place = base::open_folder_at(folder.get(), id);
  base::create_file_at(place.get(), "info", view_info(image, target, copies ? place_of(target) : ""), 0600);
  base::in_context([&] { return fmt::format("checking out {}", image.name); },
                   [&] {
                     store.checkout(image.commit, copies ? point.get() : place.get(), copies ? "." : "rootfs",
                                    copies ? store::CheckoutFiles::copied : store::CheckoutFiles::linked);
                   });
  check_stop(session.stop);
  if (!copies) {
    mount_read_only(base::open_folder_at(place.get(), "rootfs").get(), point.get(), directory);
  }
  undo.dismiss();
}

void unmount_view(Session& session, const std::string& directory) {
  const auto target = real_path(directory);
  if (holds_copy(session, target)) {
    remove_copy(session, target);
  } else {
    unmount(session, target);
  }
}

std::vector<std::string> stale_mounts(const Session& session) {
  std::vector<std::string> paths;
  for (const auto& view : stale_views(session)) {
    paths.push_back(mounts_path(session) + "/" + view.id);
  }
  return paths;
}

void remove_stale_mounts(const Session& session) {
  for (const auto& view : stale_views(session)) {
    base::remove_tree_at(base::open_host_folder(mounts_path(session)).get(), view.id);
  }
}

}  // namespace berth::ops
