// SPDX-License-Identifier: LGPL-2.1-or-later
#include "host/files/host_file.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>
#include <string_view>

#include "base/digest.hpp"
#include "base/error.hpp"
#include "base/fd.hpp"
#include "base/file.hpp"
#include "base/scope_exit.hpp"
#include "host/files/file_copy.hpp"
#include "host/files/kernel_directories.hpp"
#include "host/files/root_directory.hpp"

namespace berth::host {

namespace {

using base::Error;
using base::ErrorKind;

constexpr mode_t permission_bits = 07777;

/// "/a/b/c" → {"/a/b", "c"}, cleaned. @throws Error for `..` and for the root itself
std::pair<std::string, std::string> split_destination(const std::string& destination) {
  std::vector<std::string> components = base::safe_components(destination, destination);
  if (components.empty()) {
    throw Error(ErrorKind::not_permitted, "a host file cannot replace the root directory itself");
  }
  std::string name = std::move(components.back());
  components.pop_back();
  std::string parent;
  for (const std::string& component : components) {
    parent += "/" + component;
  }
  return {parent.empty() ? "/" : parent, std::move(name)};
}

/// Renames a finished temporary to its name. @return false when the name is taken
bool place(int parent, const std::string& temporary, const std::string& name, const std::string& destination) {
  if (::renameat2(parent, temporary.c_str(), parent, name.c_str(), RENAME_NOREPLACE) == 0) {
    return true;
  }
  if (errno != EEXIST) {
    base::throw_errno("create " + destination);
  }
  return false;
}

/// The owner first, since chown(2) clears setuid bits and capabilities.
void set_owner_and_mode(int fd, const HostFile& file) {
  base::check_errno(::fchown(fd, file.uid, file.gid), "set the owner of " + file.destination);
  base::check_errno(::fchmod(fd, file.mode & permission_bits), "set the mode of " + file.destination);
}

base::Fd open_source(int rootfs, const HostFile& file) {
  // O_NONBLOCK: opening a fifo of a remote rootfs must not block.
  base::Fd source = base::open_beneath(rootfs, file.source, O_RDONLY | O_NONBLOCK);
  struct stat status {};
  base::check_errno(::fstat(source.get(), &status), "examine " + file.source);
  if (!S_ISREG(status.st_mode)) {
    throw Error(ErrorKind::verification, fmt::format("{} in the image is not a regular file", file.source));
  }
  return source;
}

/// Fills the open temporary file. @return sha256 hex
std::string fill(int target, int rootfs, const HostFile& file) {
  std::string checksum;
  if (file.content) {
    base::write_all(target, *file.content, file.destination);
    checksum = base::digest_of(*file.content).hex();
    set_owner_and_mode(target, file);
  } else {
    const base::Fd source = open_source(rootfs, file);
    checksum = file.share && clone_content(source.get(), target) ? content_checksum(target, file.destination)
                                                                 : copy_content(source.get(), target, file.destination);
    set_owner_and_mode(target, file);
    copy_attributes(source.get(), target, file.destination);
  }
  base::check_errno(::fsync(target), "sync " + file.destination);
  return checksum;
}

/// An unnamed file in the directory; nullopt on a file system without O_TMPFILE.
std::optional<base::Fd> open_nameless(int parent, const std::string& destination) {
  base::Fd file(::openat(parent, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600));
  if (file) {
    return file;
  }
  if (errno != EOPNOTSUPP && errno != EISDIR && errno != EINVAL) {
    base::throw_errno("create " + destination);
  }
  return std::nullopt;
}

/// Links an unnamed file to its name. @return false when the name is taken
bool name_file(int file, int parent, const std::string& name, const std::string& destination) {
  const std::string self = fmt::format("/proc/self/fd/{}", file);
  if (::linkat(AT_FDCWD, self.c_str(), parent, name.c_str(), AT_SYMLINK_FOLLOW) == 0) {
    return true;
  }
  if (errno != EEXIST) {
    base::throw_errno("create " + destination);
  }
  return false;
}

bool create_through_temporary(int parent, const std::string& name, int rootfs, const HostFile& file,
                              std::string& checksum) {
  const std::string temporary = unfinished_name(file.secret, file.destination);
  base::unlink_at(parent, temporary);
  const base::Fd target = base::open_at(parent, temporary, O_RDWR | O_CREAT | O_EXCL, 0600);
  base::ScopeExit discard([&]() noexcept { ::unlinkat(parent, temporary.c_str(), 0); });
  checksum = fill(target.get(), rootfs, file);
  if (!place(parent, temporary, name, file.destination)) {
    return false;
  }
  discard.dismiss();
  return true;
}

bool create_file(int parent, const std::string& name, int rootfs, const HostFile& file, std::string& checksum) {
  // An unnamed file leaves nothing to clean up after a power cut.
  const auto target = open_nameless(parent, file.destination);
  if (!target) {
    return create_through_temporary(parent, name, rootfs, file, checksum);
  }
  checksum = fill(target->get(), rootfs, file);
  return name_file(target->get(), parent, name, file.destination);
}

/// The owner of the parent may have replaced the new directory before it was opened.
void refuse_exchanged(int parent, bool ours, const HostFile& file) {
  struct stat status {};
  base::check_errno(::fstat(parent, &status), "examine a directory");
  if (is_of_others(status.st_uid) && !ours) {
    throw Error(ErrorKind::conflict, fmt::format("{} was replaced while it was created", file.destination),
                fmt::format("the user {} owns its parent directory", status.st_uid));
  }
}

bool is_new_directory(int directory) {
  struct stat status {};
  base::check_errno(::fstat(directory, &status), "examine a directory");
  return status.st_uid == ::geteuid() && (status.st_mode & 0777U) == 0700 && base::list_directory(directory).empty();
}

// Created under its own name: closed and empty it is harmless, and the undo of the step finds it after a kill.
bool create_directory(int parent, const std::string& name, const HostFile& file) {
  if (::mkdirat(parent, name.c_str(), 0700) != 0) {
    if (errno != EEXIST) {
      base::throw_errno("create the directory " + file.destination);
    }
    return false;
  }
  base::ScopeExit discard([&]() noexcept { ::unlinkat(parent, name.c_str(), AT_REMOVEDIR); });
  const base::Fd made = base::open_directory_at(parent, name);
  refuse_exchanged(parent, is_new_directory(made.get()), file);
  set_owner_and_mode(made.get(), file);
  discard.dismiss();
  return true;
}

bool create_link(int parent, const std::string& name, const HostFile& file, std::string& checksum) {
  if (::symlinkat(file.link_target.c_str(), parent, name.c_str()) < 0) {
    if (errno != EEXIST) {
      base::throw_errno("create the link " + file.destination);
    }
    return false;
  }
  base::ScopeExit discard([&]() noexcept { ::unlinkat(parent, name.c_str(), 0); });
  const base::Fd made = base::open_at(parent, name, O_PATH);
  refuse_exchanged(parent, base::read_link_at(made.get(), "") == file.link_target, file);
  base::check_errno(::fchownat(made.get(), "", file.uid, file.gid, AT_EMPTY_PATH),
                    "set the owner of " + file.destination);
  checksum = base::digest_of(file.link_target).hex();
  discard.dismiss();
  return true;
}

bool create_any(int parent, const std::string& name, int rootfs, const HostFile& file, std::string& checksum) {
  switch (file.kind) {
    case HostFile::Kind::file:
      return create_file(parent, name, rootfs, file, checksum);
    case HostFile::Kind::directory:
      return create_directory(parent, name, file);
    case HostFile::Kind::link:
      return create_link(parent, name, file, checksum);
  }
  return false;
}

}  // namespace

void refuse_kernel_directories(const std::string& path, const std::string& destination) {
  for (const std::string_view directory : {"/proc", "/sys", "/dev"}) {
    if (path == directory || path.starts_with(std::string(directory) + "/")) {
      throw Error(ErrorKind::not_permitted,
                  fmt::format("the host file {} would be in {}, which belongs to the kernel", destination, directory),
                  "remove it from the image's exports/hostfs, or correct its renameFiles");
    }
  }
}

std::string hidden_name(const std::string& secret, const std::string& path) {
  return ".berth-" + base::digest_of(secret.empty() ? path : secret + "\n" + path).short_hex();
}

std::string unfinished_name(const std::string& secret, const std::string& destination) {
  return std::string(base::temporary_prefix) + hidden_name(secret, destination).substr(sizeof ".berth-" - 1);
}

CreatedFile create_host_file(int root, int rootfs, const HostFile& file) {
  const auto [parent_path, name] = split_destination(file.destination);
  refuse_kernel_directories(resolve_host_path(root, file.destination), file.destination);
  CreatedFile result;
  if (host_exists(root, file.destination)) {
    return result;
  }
  base::ScopeExit undo([&]() noexcept { remove_created_directories(root, result.created_directories); });
  const base::Fd parent = make_directory_in_root(root, parent_path, result.created_directories);
  result.created = create_any(parent.get(), name, rootfs, file, result.checksum);
  if (!result.created) {
    return {};
  }
  base::sync_at(parent.get(), ".");
  undo.dismiss();
  return result;
}

std::string resolve_host_path(int root, const std::string& destination) {
  std::vector<std::string> missing;
  std::string path = "/";
  for (const std::string& component : base::safe_components(destination, destination)) {
    path += (path == "/" ? "" : "/") + component;
  }
  while (path != "/") {
    auto [parent, name] = base::split_path(path);
    missing.push_back(std::move(name));
    path = std::move(parent);
    if (const auto directory = find_directory_in_root(root, path)) {
      path = path_in_root(root, directory->get());
      break;
    }
  }
  for (auto name = missing.rbegin(); name != missing.rend(); ++name) {
    path += (path == "/" ? "" : "/") + *name;
  }
  return path;
}

}  // namespace berth::host
