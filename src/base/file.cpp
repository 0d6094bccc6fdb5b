// SPDX-License-Identifier: LGPL-2.1-or-later
#include "base/file.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <linux/openat2.h>
#include <sys/random.h>
#include <sys/syscall.h>

#include <algorithm>
#include <array>
#include <climits>
#include <utility>

#include "base/error.hpp"
#include "base/scope_exit.hpp"

namespace berth::base {

namespace {

constexpr int resolve_attempts = 128;  // RESOLVE_IN_ROOT fails with EAGAIN while someone renames directories
constexpr std::size_t component_limit = NAME_MAX;

/// Repeats a system call that a signal interrupted.
template <typename Call>
auto retried(Call call) {
  auto result = call();
  while (result < 0 && errno == EINTR) {
    result = call();
  }
  return result;
}

[[noreturn]] void throw_open_failure(int directory, std::string_view path, int code) {
  if (code == ELOOP) {
    throw Error(ErrorKind::verification,
                fmt::format("cannot open {}: a symbolic link is in the way, and links are not followed there",
                            full_path(directory, path)));
  }
  throw_errno("open " + full_path(directory, path), code);
}

/// ENOTDIR counts as absent: a component on the way is not a directory.
bool is_absent(int code) {
  return code == ENOENT || code == ENOTDIR;
}

/// openat(2). @return an invalid descriptor, with errno, when it cannot be opened
Fd try_at(int directory, const std::string& path, int flags, mode_t mode = 0) {
  return Fd(retried([&] { return ::openat(directory, path.c_str(), flags | O_CLOEXEC, mode); }));
}

/// As try_at, with openat2(2).
Fd try_resolved(int root, const std::string& path, int flags, mode_t mode, std::uint64_t resolve) {
  struct open_how how {};
  how.flags = static_cast<std::uint64_t>(flags) | O_CLOEXEC;
  how.mode = mode;
  how.resolve = resolve;
  for (int attempt = 1;; ++attempt) {
    const long fd = ::syscall(SYS_openat2, root, path.c_str(), &how, sizeof how);
    if (fd >= 0) {
      return Fd(static_cast<int>(fd));
    }
    const int code = errno;
    if (code == EINTR || (code == EAGAIN && attempt < resolve_attempts)) {
      continue;
    }
    if (code == ENOSYS) {
      throw Error(ErrorKind::failed, "the kernel has no openat2(2)", "Linux 5.8 or later is needed");
    }
    return {};
  }
}

/// @param fd what an open call returned for `path`; invalid with errno
Fd opened(Fd fd, int directory, const std::string& path) {
  if (!fd) {
    throw_open_failure(directory, path, errno);
  }
  return fd;
}

/// As opened; nullopt when `path` does not exist.
std::optional<Fd> found(Fd fd, int directory, const std::string& path) {
  if (!fd && errno == ENOENT) {
    return std::nullopt;
  }
  return opened(std::move(fd), directory, path);
}

constexpr std::uint64_t resolve_beneath = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS;
constexpr std::uint64_t resolve_in_root = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS;

/// The pieces between slashes, empty ones dropped.
std::vector<std::string_view> components_of(std::string_view path) {
  std::vector<std::string_view> components;
  while (!path.empty()) {
    const std::size_t end = std::min(path.find('/'), path.size());
    if (end > 0) {
      components.push_back(path.substr(0, end));
    }
    path.remove_prefix(std::min(end + 1, path.size()));
  }
  return components;
}

std::string path_in_root(std::string_view path) {
  if (path.find('\0') != std::string_view::npos) {
    throw Error(ErrorKind::verification, "a path holds a NUL byte");
  }
  return path.empty() ? "." : std::string(path);
}

/// Without leading slashes, `.` and empty components.
std::string path_beneath(std::string_view path) {
  std::string relative;
  for (const std::string& component : safe_components(path, path)) {
    relative += relative.empty() ? component : "/" + component;
  }
  return relative.empty() ? "." : relative;
}

std::string temporary_name() {
  std::uint64_t number = 0;
  check_errno(static_cast<int>(retried([&] { return ::getrandom(&number, sizeof number, 0); })), "get random bytes");
  return fmt::format("{}{:016x}", temporary_prefix, number);
}

void sync_fd(int fd, std::string_view name) {
  // EINVAL: the file system cannot sync directories.
  if (retried([&] { return ::fsync(fd); }) < 0 && errno != EINVAL) {
    throw_errno(fmt::format("sync {}", name));
  }
}

/// Sets mode and content of the open file and syncs it.
void fill(int file, std::string_view bytes, mode_t mode, const std::string& whole) {
  write_all(file, bytes, whole);
  check_errno(::fchmod(file, mode), "set the mode of " + whole);
  sync_fd(file, whole);
}

/// As create_file_at, through an unnamed file (O_TMPFILE), which needs no cleanup when the process is killed.
/// @return false on a file system that does not support such files
bool create_from_nameless(int directory, const std::string& path, std::string_view bytes, mode_t mode) {
  const auto [parent_path, name] = split_path(path);
  const std::string whole = full_path(directory, path);
  const Fd parent = open_host_directory_at(directory, parent_path);
  const Fd file = try_at(parent.get(), ".", O_TMPFILE | O_WRONLY, 0600);
  if (!file) {
    return false;
  }
  fill(file.get(), bytes, mode, whole);
  const std::string self = fmt::format("/proc/self/fd/{}", file.get());
  check_errno(::linkat(AT_FDCWD, self.c_str(), parent.get(), name.c_str(), AT_SYMLINK_FOLLOW), "create " + whole);
  sync_fd(parent.get(), whole);
  return true;
}

/// Makes `bytes` a durable new file under a temporary name, gives it to `place`, which renames or
/// links it into place, and makes that durable too.
template <typename Place>
void write_through_temporary(int directory, const std::string& path, std::string_view bytes, mode_t mode, Place place) {
  const auto [parent_path, name] = split_path(path);
  const std::string whole = full_path(directory, path);
  const Fd parent = open_host_directory_at(directory, parent_path);
  const std::string temporary = temporary_name();
  const Fd file = try_at(parent.get(), temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0600);
  check_errno(file.get(), "create " + whole);
  const ScopeExit discard([&]() noexcept { ::unlinkat(parent.get(), temporary.c_str(), 0); });
  fill(file.get(), bytes, mode, whole);
  place(parent.get(), temporary, name, whole);
  sync_fd(parent.get(), whole);
}

/// @param name the name for messages; a callable, since finding a path out takes longer than reading a small file
template <typename Name>
std::string read_bytes(int fd, std::uint64_t limit, const Name& name) {
  std::string bytes;
  std::array<char, 32768> buffer;  // NOLINT(cppcoreguidelines-pro-type-member-init): read(2) fills what is used of it
  while (true) {
    const ssize_t count = retried([&] { return ::read(fd, buffer.data(), buffer.size()); });
    if (count < 0) {
      throw_errno(fmt::format("read {}", name()));
    }
    if (count == 0) {
      return bytes;
    }
    if (bytes.size() + static_cast<std::size_t>(count) > limit) {
      throw Error(ErrorKind::verification, fmt::format("{} is larger than the limit of {} bytes", name(), limit));
    }
    bytes.append(buffer.data(), static_cast<std::size_t>(count));
  }
}

}  // namespace

std::string full_path(int directory, std::string_view path) {
  if (directory == AT_FDCWD || path.starts_with('/')) {
    return std::string(path);
  }
  const std::string link = fmt::format("/proc/self/fd/{}", directory);
  std::array<char, PATH_MAX> target{};
  const ssize_t length = ::readlink(link.c_str(), target.data(), target.size());
  if (length <= 0) {
    return std::string(path);
  }
  const std::string_view where(target.data(), static_cast<std::size_t>(length));
  if (path == ".") {
    return std::string(where);
  }
  return fmt::format("{}{}{}", where, where == "/" ? "" : "/", path);
}

Fd open_at(int directory, const std::string& path, int flags, mode_t mode) {
  return opened(try_at(directory, path, flags | O_NOFOLLOW, mode), directory, path);
}

Fd open_directory_at(int directory, const std::string& path) {
  return open_at(directory, path, O_RDONLY | O_DIRECTORY);
}

std::optional<Fd> find_directory_at(int directory, const std::string& path) {
  return found(try_at(directory, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW), directory, path);
}

Fd open_host_directory(const std::string& path) {
  return open_host_directory_at(AT_FDCWD, path);
}

std::optional<Fd> find_host_directory(const std::string& path) {
  return found(try_at(AT_FDCWD, path, O_RDONLY | O_DIRECTORY), AT_FDCWD, path);
}

std::optional<Fd> find_host_file_at(int directory, const std::string& path, int flags) {
  return found(try_at(directory, path, flags), directory, path);
}

Fd open_host_directory_at(int directory, const std::string& path) {
  return opened(try_at(directory, path, O_RDONLY | O_DIRECTORY), directory, path);
}

Fd open_beneath(int root, std::string_view path, int flags, mode_t mode) {
  const auto relative = path_beneath(path);
  return opened(try_resolved(root, relative, flags | O_NOFOLLOW, mode, resolve_beneath), root, relative);
}

std::optional<Fd> find_beneath(int root, std::string_view path, int flags) {
  const auto relative = path_beneath(path);
  return found(try_resolved(root, relative, flags | O_NOFOLLOW, 0, resolve_beneath), root, relative);
}

Fd open_in_root(int root, std::string_view path, int flags) {
  const auto inside = path_in_root(path);
  return opened(try_resolved(root, inside, flags, 0, resolve_in_root), root, inside);
}

std::optional<Fd> find_in_root(int root, std::string_view path, int flags) {
  const auto inside = path_in_root(path);
  return found(try_resolved(root, inside, flags, 0, resolve_in_root), root, inside);
}

std::optional<struct stat> stat_at(int directory, const std::string& path) {
  struct stat status {};
  if (::fstatat(directory, path.c_str(), &status, AT_SYMLINK_NOFOLLOW) == 0) {
    return status;
  }
  if (is_absent(errno)) {
    return std::nullopt;
  }
  throw_errno("examine " + full_path(directory, path));
}

bool is_directory_at(int directory, const std::string& path) {
  const auto status = stat_at(directory, path);
  return status && S_ISDIR(status->st_mode);
}

std::optional<std::string> read_link_at(int directory, const std::string& path) {
  std::array<char, PATH_MAX> target{};
  const ssize_t length = ::readlinkat(directory, path.c_str(), target.data(), target.size());
  if (length >= 0) {
    return std::string(target.data(), static_cast<std::size_t>(length));
  }
  if (is_absent(errno) || errno == EINVAL) {  // EINVAL: it is no link
    return std::nullopt;
  }
  throw_errno("read the link " + full_path(directory, path));
}

std::string read_all(int fd, std::uint64_t limit, std::string_view name) {
  return read_bytes(fd, limit, [name] { return name; });
}

std::optional<std::string> read_file_at(int directory, const std::string& path, std::uint64_t limit) {
  // O_NONBLOCK: opening a fifo must not block.
  const Fd file = try_at(directory, path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
  if (!file) {
    if (is_absent(errno)) {
      return std::nullopt;
    }
    throw_open_failure(directory, path, errno);
  }
  struct stat status {};
  if (::fstat(file.get(), &status) != 0) {
    throw_errno("examine " + full_path(directory, path));
  }
  if (!S_ISREG(status.st_mode)) {
    throw Error(ErrorKind::failed, full_path(directory, path) + " is not a regular file");
  }
  return read_bytes(file.get(), limit, [&] { return full_path(directory, path); });
}

std::optional<std::string> read_file_in_root(int root, std::string_view path, std::uint64_t limit,
                                             std::string_view name) {
  const auto file = find_in_root(root, path, O_RDONLY | O_NONBLOCK | O_NOCTTY);
  return file ? std::optional(read_all(file->get(), limit, name)) : std::nullopt;
}

void write_all(int fd, std::string_view bytes, std::string_view name) {
  while (!bytes.empty()) {
    const ssize_t count = retried([&] { return ::write(fd, bytes.data(), bytes.size()); });
    if (count < 0) {
      throw_errno(fmt::format("write {}", name));
    }
    bytes.remove_prefix(static_cast<std::size_t>(count));
  }
}

void replace_file_at(int directory, const std::string& path, std::string_view bytes, mode_t mode) {
  write_through_temporary(
      directory, path, bytes, mode,
      [](int parent, const std::string& temporary, const std::string& name, const std::string& whole) {
        check_errno(::renameat(parent, temporary.c_str(), parent, name.c_str()), "replace " + whole);
      });
}

void create_file_at(int directory, const std::string& path, std::string_view bytes, mode_t mode) {
  if (create_from_nameless(directory, path, bytes, mode)) {
    return;
  }
  write_through_temporary(
      directory, path, bytes, mode,
      [](int parent, const std::string& temporary, const std::string& name, const std::string& whole) {
        // linkat(2), because it fails when the name is taken; a guard removes the temporary name.
        check_errno(::linkat(parent, temporary.c_str(), parent, name.c_str(), 0), "create " + whole);
      });
}

void replace_link_at(int directory, const std::string& path, const std::string& target) {
  const auto [parent_path, name] = split_path(path);
  const std::string whole = full_path(directory, path);
  const Fd parent = open_host_directory_at(directory, parent_path);
  const std::string temporary = temporary_name();
  check_errno(::symlinkat(target.c_str(), parent.get(), temporary.c_str()), "create the link " + whole);
  ScopeExit discard([&]() noexcept { ::unlinkat(parent.get(), temporary.c_str(), 0); });
  check_errno(::renameat(parent.get(), temporary.c_str(), parent.get(), name.c_str()), "replace the link " + whole);
  discard.dismiss();
  sync_fd(parent.get(), whole);
}

bool unlink_at(int directory, const std::string& path) {
  if (::unlinkat(directory, path.c_str(), 0) == 0) {
    return true;
  }
  const int code = errno;
  // EROFS is returned whether or not the file exists.
  if (is_absent(code) || (code == EROFS && !stat_at(directory, path))) {
    return false;
  }
  throw_errno("remove " + full_path(directory, path), code);
}

void sync_at(int directory, const std::string& path) {
  const Fd fd = open_at(directory, path, O_RDONLY | O_NONBLOCK);
  sync_fd(fd.get(), full_path(directory, path));
}

std::pair<std::string, std::string> split_path(std::string_view path) {
  while (path.size() > 1 && path.ends_with('/')) {
    path.remove_suffix(1);
  }
  const std::size_t slash = path.rfind('/');
  if (slash == std::string_view::npos) {
    return {".", path.empty() ? "." : std::string(path)};
  }
  const std::string_view name = path.substr(slash + 1);
  return {slash == 0 ? "/" : std::string(path.substr(0, slash)), name.empty() ? "." : std::string(name)};
}

std::vector<std::string> safe_components(std::string_view path, std::string_view document) {
  const auto refuse = [&](std::string_view reason) {
    throw Error(ErrorKind::verification,
                fmt::format("{}: the path '{}' {}", printable(document), printable(path), reason));
  };
  if (path.find('\0') != std::string_view::npos) {
    refuse("holds a NUL byte");
  }
  std::vector<std::string> components;
  for (const std::string_view component : components_of(path)) {
    if (component == "..") {
      refuse("leads upwards with '..'");
    }
    if (component.size() > component_limit) {
      refuse("has a name of more than 255 bytes");
    }
    if (component != ".") {
      components.emplace_back(component);
    }
  }
  return components;
}

}  // namespace berth::base
