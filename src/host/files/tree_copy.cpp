// SPDX-License-Identifier: LGPL-2.1-or-later
#include "host/files/tree_copy.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <cstdint>
#include <functional>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "base/file.hpp"
#include "host/files/file_copy.hpp"

namespace berth::host {

namespace {

using base::Error;
using base::ErrorKind;

constexpr std::uint64_t reserved_share = 20;  ///< 1/20 of the disk stays free

void check_stop(const std::stop_token& stop) {
  if (stop.stop_requested()) {
    base::throw_interrupted();
  }
}

/// Traverses a tree without recursion: one directory is open at a time, and each is opened from the top.
class Walk {
 public:
  using Visit =
      std::function<void(int directory, const std::string& path, const std::string& name, const struct stat&)>;

  Walk(int top, const std::string& name, const std::stop_token& stop, std::size_t most)
      : top_(top), name_(name), stop_(stop), most_(most) {}

  /// Calls `visit` for all but directories and `enter` for each directory, the outer ones first.
  /// @return the paths of the directories, in that order, the top as `.` in front
  std::vector<std::string> run(const Visit& visit, const Visit& enter) {
    std::vector<std::string> directories = {"."};
    for (std::size_t next = 0; next < directories.size(); ++next) {
      const auto path = directories[next];
      const base::Fd directory = base::open_beneath(top_, path, O_RDONLY | O_DIRECTORY);
      for (const auto& name : base::list_directory(directory.get())) {
        count();
        const auto status = base::stat_at(directory.get(), name);
        if (status && S_ISDIR(status->st_mode)) {
          directories.push_back(path == "." ? name : fmt::format("{}/{}", path, name));
          enter(directory.get(), path, name, *status);
        } else if (status) {
          visit(directory.get(), path, name, *status);
        }
      }
    }
    return directories;
  }

 private:
  void count() {
    check_stop(stop_);
    if (++seen_ > most_) {
      throw Error(ErrorKind::failed, fmt::format("{} would hold more than {} files", name_, most_),
                  "create that directory yourself, with the files that it needs");
    }
  }

  int top_;
  const std::string& name_;
  const std::stop_token& stop_;
  std::size_t most_;
  std::size_t seen_ = 0;
};

/// Hard links of an image become separate files, each with its own blocks.
void check_room(int from, int to, const std::string& name, const std::stop_token& stop, std::size_t most_entries) {
  std::uint64_t bytes = 0;
  Walk(from, name, stop, most_entries)
      .run([&bytes](int, const std::string&, const std::string&,
                    const struct stat& status) { bytes += static_cast<std::uint64_t>(status.st_size); },
           [](int, const std::string&, const std::string&, const struct stat&) {});
  struct statvfs disk {};
  base::check_errno(::fstatvfs(to, &disk), "ask for the free space at " + name);
  const std::uint64_t total = std::uint64_t{disk.f_blocks} * disk.f_frsize;
  const std::uint64_t free = std::uint64_t{disk.f_bavail} * disk.f_frsize;
  if (bytes > 0 && bytes + total / reserved_share > free) {
    throw Error(ErrorKind::failed,
                fmt::format("the image's files for {} take {} bytes, and {} bytes of {} are free there", name, bytes,
                            free, total),
                "free some space, or create that directory yourself, with the files that it needs");
  }
}

void take_over(int from, int to, const struct stat& status, const std::string& name) {
  if (::geteuid() == 0) {
    base::check_errno(::fchown(to, status.st_uid, status.st_gid), "set the owner of " + name);
  }
  base::check_errno(::fchmod(to, status.st_mode & 07777U), "set the mode of " + name);  // chown takes setuid away
  copy_all_attributes(from, to, name);
}

void copy_file(int directory, int target, const std::string& name, const struct stat& status) {
  const base::Fd source = base::open_beneath(directory, name, O_RDONLY | O_NONBLOCK | O_NOCTTY);
  const base::Fd copy = base::open_at(target, name, O_WRONLY | O_CREAT | O_EXCL, 0600);
  if (!clone_content(source.get(), copy.get())) {
    copy_content(source.get(), copy.get(), name);
  }
  take_over(source.get(), copy.get(), status, name);
}

void copy_link(int directory, int target, const std::string& name, const struct stat& status) {
  const auto where = base::read_link_at(directory, name).value_or("");
  base::check_errno(::symlinkat(where.c_str(), target, name.c_str()), "create the link " + name);
  if (::geteuid() == 0) {
    base::check_errno(::fchownat(target, name.c_str(), status.st_uid, status.st_gid, AT_SYMLINK_NOFOLLOW),
                      "set the owner of " + name);
  }
}

}  // namespace

void copy_tree(int from, int to, const std::string& name, const std::stop_token& stop, std::size_t most_entries) {
  check_room(from, to, name, stop, most_entries);
  const auto open_copy = [to](const std::string& path) { return base::open_beneath(to, path, O_RDONLY | O_DIRECTORY); };
  const auto directories =
      Walk(from, name, stop, most_entries)
          .run(
              [&](int directory, const std::string& path, const std::string& file, const struct stat& status) {
                if (S_ISREG(status.st_mode)) {
                  copy_file(directory, open_copy(path).get(), file, status);
                } else if (S_ISLNK(status.st_mode)) {
                  copy_link(directory, open_copy(path).get(), file, status);
                }
              },
              [&](int, const std::string& path, const std::string& made, const struct stat&) {
                base::check_errno(::mkdirat(open_copy(path).get(), made.c_str(), 0700), "create the directory " + made);
              });
  // Inner directories first, and after their content: a mode may keep even the owner from writing.
  for (auto path = directories.rbegin(); path != directories.rend(); ++path) {
    const base::Fd source = base::open_beneath(from, *path, O_RDONLY | O_DIRECTORY);
    struct stat status {};
    base::check_errno(::fstat(source.get(), &status), "examine " + *path);
    take_over(source.get(), open_copy(*path).get(), status, *path);
  }
}

}  // namespace berth::host
