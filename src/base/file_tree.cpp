// SPDX-License-Identifier: LGPL-2.1-or-later
// The functions of file.hpp that traverse directories.
#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <memory>
#include <utility>

#include "base/error.hpp"
#include "base/file.hpp"
#include "base/scope_exit.hpp"

namespace berth::base {

namespace {

constexpr int creation_attempts = 16;
constexpr int resolve_attempts = 128;  // EAGAIN while someone renames directories

/// Calls `visit(name, d_type)` for every name in a directory, `.` and `..` aside.
template <typename Visit>
void for_each_name(int directory, Visit visit) {
  // A separate open file description: reading must not move the position of the caller's.
  Fd own = open_directory_at(directory, ".");
  const std::unique_ptr<DIR, int (*)(DIR*)> stream(::fdopendir(own.get()), ::closedir);
  if (!stream) {
    throw_errno("read a directory");
  }
  static_cast<void>(own.release());  // closedir closes it
  while (true) {
    errno = 0;
    const struct dirent* entry = ::readdir(stream.get());  // NOLINT(concurrency-mt-unsafe): the stream is ours alone
    if (entry == nullptr) {
      break;
    }
    const std::string_view name = entry->d_name;
    if (name != "." && name != "..") {
      visit(std::string(name), entry->d_type);
    }
  }
  if (errno != 0) {
    throw_errno("read a directory");
  }
}

/// Creates the directories of one path, and removes them again when it does not complete.
class DirectoryCreation {
 public:
  DirectoryCreation(int directory, std::string path, mode_t mode)
      : directory_(directory), path_(std::move(path)), mode_(mode) {}

  std::vector<std::string> run() {
    ScopeExit undo([this]() noexcept { take_back(); });
    Fd above = open_host_directory_at(directory_, path_.starts_with('/') ? "/" : ".");
    std::size_t begin = path_.find_first_not_of('/');
    while (begin != std::string::npos) {
      const std::size_t end = std::min(path_.find('/', begin), path_.size());
      above = enter(std::move(above), path_.substr(begin, end - begin), path_.substr(0, end));
      begin = path_.find_first_not_of('/', end);
    }
    undo.dismiss();
    return std::move(created_);
  }

 private:
  Fd enter(Fd above, const std::string& name, const std::string& so_far) {
    // Recorded before it exists, since recording may fail.
    created_.push_back(so_far);
    parents_.emplace_back(Fd(), name);
    if (::mkdirat(above.get(), name.c_str(), 0700) < 0) {
      const int code = errno;
      created_.pop_back();
      parents_.pop_back();
      if (code != EEXIST) {
        throw_errno("create the directory " + full_path(above.get(), name), code);
      }
      return open_existing(above.get(), name, so_far);
    }
    parents_.back().first = std::move(above);
    const int parent = parents_.back().first.get();
    Fd made = open_directory_at(parent, name);
    check_errno(::fchmod(made.get(), mode_), "set the mode of " + full_path(parent, name));
    sync_at(parent, ".");
    return made;
  }

  /// Links do not lead out of a given directory: with --root it is the root of another system.
  [[nodiscard]] Fd open_existing(int above, const std::string& name, const std::string& so_far) const {
    if (directory_ == AT_FDCWD || path_.starts_with('/')) {
      return open_host_directory_at(above, name);
    }
    return open_in_root(directory_, so_far, O_RDONLY | O_DIRECTORY);
  }

  void take_back() noexcept {
    for (auto made = parents_.rbegin(); made != parents_.rend(); ++made) {
      ::unlinkat(made->first.get(), made->second.c_str(), AT_REMOVEDIR);
    }
  }

  int directory_;
  std::string path_;
  mode_t mode_;
  std::vector<std::string> created_;
  std::vector<std::pair<Fd, std::string>> parents_;  ///< of what was created
};

/// Removes one directory and everything below it, with two open descriptors and without recursion, however deep the
/// tree is: it ascends by `..`, after checking that this is the directory that it descended from.
class TreeRemoval {
 public:
  TreeRemoval(int parent, std::string name) : parent_(parent) { descend(parent, std::move(name)); }

  void run() {
    while (!levels_.empty()) {
      if (levels_.back().directories.empty()) {
        ascend();
        continue;
      }
      std::string name = std::move(levels_.back().directories.back());
      levels_.back().directories.pop_back();
      descend(current_.get(), std::move(name));
    }
  }

 private:
  struct Level {
    std::string name;
    dev_t device;
    ino_t inode;
    std::vector<std::string> directories;  ///< still to be removed
  };

  void descend(int from, std::string name) {
    // RESOLVE_NO_XDEV: file systems mounted inside the tree are not removed.
    struct open_how how {};
    how.flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
    how.resolve = RESOLVE_NO_XDEV | RESOLVE_NO_SYMLINKS | RESOLVE_BENEATH;
    long fd = -1;
    bool opened_up = false;
    int again = 0;
    do {
      fd = ::syscall(SYS_openat2, from, name.c_str(), &how, sizeof how);
      // The mode of a directory may keep even its owner from reading it.
      if (fd < 0 && errno == EACCES && !std::exchange(opened_up, true)) {
        const bool done = ::fchmodat(from, name.c_str(), S_IRWXU, AT_SYMLINK_NOFOLLOW) == 0;
        errno = done ? EAGAIN : EACCES;
      }
    } while (fd < 0 && (errno == EINTR || (errno == EAGAIN && ++again < resolve_attempts)));
    if (fd < 0 && errno == ENOENT) {
      return;  // another process removed it
    }
    if (fd < 0 && errno == EXDEV) {
      throw Error(ErrorKind::conflict, fmt::format("cannot remove {}: a file system is mounted on it", path_to(name)),
                  "unmount it with umount(8) first");
    }
    check_errno(static_cast<int>(fd), "open " + path_to(name));
    current_ = Fd(static_cast<int>(fd));
    const struct stat status = status_of(current_.get());
    if (status.st_uid == ::geteuid() && (status.st_mode & S_IRWXU) != S_IRWXU) {
      ::fchmod(current_.get(), S_IRWXU);  // only root can remove entries whatever the mode is
    }
    levels_.push_back({std::move(name), status.st_dev, status.st_ino, {}});
    levels_.back().directories = remove_files();
  }

  void ascend() {
    const std::string name = std::move(levels_.back().name);
    levels_.pop_back();
    int parent = parent_;
    if (!levels_.empty()) {
      Fd up = open_directory_at(current_.get(), "..");
      const struct stat status = status_of(up.get());
      if (status.st_dev != levels_.back().device || status.st_ino != levels_.back().inode) {
        throw Error(ErrorKind::conflict, path_to(name) + " was moved away while it was being removed");
      }
      current_ = std::move(up);
      parent = current_.get();
    }
    if (::unlinkat(parent, name.c_str(), AT_REMOVEDIR) < 0 && errno != ENOENT) {
      throw_errno("remove the directory " + path_to(name));
    }
  }

  /// Removes all but directories from the current directory. @return the names of the directories
  std::vector<std::string> remove_files() {
    std::vector<std::string> directories;
    for_each_name(current_.get(), [&](std::string name, unsigned char type) {
      if (type == DT_UNKNOWN) {
        const std::optional<struct stat> status = stat_at(current_.get(), name);
        type = status && S_ISDIR(status->st_mode) ? DT_DIR : DT_REG;
      }
      if (type == DT_DIR) {
        directories.push_back(std::move(name));
      } else if (::unlinkat(current_.get(), name.c_str(), 0) < 0 && errno != ENOENT) {
        throw_errno("remove " + path_to(name));
      }
    });
    return directories;
  }

  static struct stat status_of(int fd) {
    struct stat status {};
    check_errno(::fstat(fd, &status), "examine a directory");
    return status;
  }

  [[nodiscard]] std::string path_to(const std::string& name) const {
    std::string path;
    for (const Level& level : levels_) {
      path += level.name + "/";
    }
    return path + name;
  }

  int parent_;
  Fd current_;
  std::vector<Level> levels_;
};

}  // namespace

std::vector<std::string> make_directories_at(int directory, const std::string& path, mode_t mode) {
  for (int attempt = 1;; ++attempt) {
    try {
      return DirectoryCreation(directory, path, mode).run();
    } catch (const Error& error) {
      // Another process may have removed an empty directory meanwhile.
      if (error.kind() != ErrorKind::not_found || attempt == creation_attempts) {
        throw;
      }
    }
  }
}

std::vector<std::string> list_directory(int directory) {
  std::vector<std::string> names;
  for_each_name(directory, [&](std::string name, unsigned char) { names.push_back(std::move(name)); });
  std::sort(names.begin(), names.end());
  return names;
}

void remove_tree_at(int directory, const std::string& path) {
  const std::optional<struct stat> status = stat_at(directory, path);
  if (!status) {
    return;
  }
  const auto [parent_path, name] = split_path(path);
  const Fd parent = open_host_directory_at(directory, parent_path);
  if (S_ISDIR(status->st_mode)) {
    TreeRemoval(parent.get(), name).run();
  } else {
    unlink_at(parent.get(), name);
  }
}

}  // namespace berth::base
