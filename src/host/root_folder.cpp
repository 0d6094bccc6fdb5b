#include "host/root_folder.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/error.hpp"
#include "base/file.hpp"

namespace berth::host {

namespace {

constexpr mode_t parent_mode = 0755;

/// One missing folder. A name that exists although the folder could not be found is a link to nowhere.
void make_one(int parent, const std::string& name, const std::string& path, std::vector<std::string>& created) {
  if (::mkdirat(parent, name.c_str(), parent_mode) < 0) {
    if (errno != EEXIST) {
      base::throw_errno("create the folder " + path);
    }
    const auto status = base::stat_at(parent, name);
    if (status && S_ISLNK(status->st_mode)) {
      throw base::Error(base::ErrorKind::conflict,
                        fmt::format("cannot create the folder {}: a link of that name points to nothing", path),
                        "create the folder the link points to, or remove the link");
    }
    return;  // somebody else made it just now
  }
  created.push_back(path);
  const base::Fd made = base::open_folder_at(parent, name);
  base::check_errno(::fchmod(made.get(), parent_mode), "set the mode of " + path);  // whatever the umask took away
  base::sync_at(parent, ".");
}

std::string link_target(int fd) {
  return base::read_link_at(AT_FDCWD, fmt::format("/proc/self/fd/{}", fd)).value_or("");
}

}  // namespace

std::optional<base::Fd> find_folder_in_root(int root, std::string_view path) {
  const std::string text(path.empty() ? "." : path);
  struct open_how how {};
  how.flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC;
  how.resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS;
  constexpr int attempts = 128;  // EAGAIN while someone renames folders
  int again = 0;
  long fd = -1;
  do {
    fd = ::syscall(SYS_openat2, root, text.c_str(), &how, sizeof how);
  } while (fd < 0 && (errno == EINTR || (errno == EAGAIN && ++again < attempts)));
  if (fd >= 0) {
    return base::Fd(static_cast<int>(fd));
  }
  if (errno != ENOENT && errno != ENOTDIR) {
    base::throw_errno("open the folder " + text);
  }
  return std::nullopt;
}

base::Fd make_folder_in_root(int root, std::string_view path, std::vector<std::string>& created) {
  if (auto found = find_folder_in_root(root, path)) {
    return std::move(*found);
  }
  base::Fd current = base::open_in_root(root, "/", O_RDONLY | O_DIRECTORY);
  std::string so_far;
  for (const std::string& name : base::safe_components(path, path)) {
    so_far += "/" + name;
    auto next = find_folder_in_root(root, so_far);
    if (!next) {
      make_one(current.get(), name, so_far, created);
      next = base::open_in_root(root, so_far, O_RDONLY | O_DIRECTORY);
    }
    current = std::move(*next);
  }
  return current;
}

void remove_created_folders(int root, const std::vector<std::string>& created) noexcept {
  for (auto path = created.rbegin(); path != created.rend(); ++path) {
    try {
      const auto [parent, name] = base::split_path(*path);
      if (const auto folder = find_folder_in_root(root, parent)) {
        ::unlinkat(folder->get(), name.c_str(), AT_REMOVEDIR);
      }
    } catch (const std::exception&) {
      // An empty folder that stays is the lesser evil: the failure that brought us here is the one to tell.
      continue;
    }
  }
}

std::string path_inside_root(int root, int fd) {
  const std::string top = link_target(root);
  std::string path = link_target(fd);
  if (top == "/") {
    return path;
  }
  if (path == top) {
    return "/";
  }
  if (top.empty() || !path.starts_with(top + "/")) {
    throw base::Error(base::ErrorKind::failed, fmt::format("{} is not below {}", path, top));
  }
  return path.substr(top.size());
}

}  // namespace berth::host
