// SPDX-License-Identifier: LGPL-2.1-or-later
#include "host/state/lock.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <optional>
#include <thread>

#include "base/error.hpp"
#include "base/file.hpp"
#include "host/state/deployment.hpp"

namespace berth::host {

namespace {

using std::chrono::steady_clock;

constexpr std::chrono::milliseconds poll_interval{50};
constexpr const char* locks_directory = ".locks";
constexpr std::size_t holder_limit = 4096;  // bytes of a lock file that are read

std::string path_of(const std::string& name) {
  return fmt::format("{}/{}", locks_directory, name);
}

struct OpenLock {
  base::Fd deployments;
  base::Fd file;
  bool has_file = true;  ///< false: `file` is the directory of deployments itself
};

bool is_full(int code) {
  return code == ENOSPC || code == EDQUOT;
}

[[noreturn]] void throw_no_lock(const std::string& path) {
  throw base::Error(base::ErrorKind::conflict, fmt::format("{} is in the way of the locks", path),
                    fmt::format("berth did not create it; inspect it and remove it: rm -r {}", path));
}

/// Opens the directory of locks. @return no descriptor when the disk is too full to create it; nullopt when it or its
/// parent was removed meanwhile
std::optional<base::Fd> open_directory(int deployments, const std::string& path) {
  if (::mkdirat(deployments, locks_directory, 0700) < 0 && errno != EEXIST) {
    if (is_full(errno)) {
      return base::Fd();
    }
    if (errno == ENOENT) {
      return std::nullopt;
    }
    base::throw_errno("create the directory " + path);
  }
  base::Fd directory(::openat(deployments, locks_directory, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (!directory && errno == ENOENT) {
    return std::nullopt;
  }
  if (!directory && (errno == ENOTDIR || errno == ELOOP)) {
    throw_no_lock(path);
  }
  base::check_errno(directory.get(), "open " + path);
  return directory;
}

/// Opens the lock file. @return no descriptor when the disk is too full to create it; nullopt when its directory was
/// removed meanwhile
std::optional<base::Fd> open_file(int directory, const std::string& name, const std::string& path) {
  base::Fd file(::openat(directory, name.c_str(), O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0600));
  if (!file && is_full(errno)) {
    return base::Fd();
  }
  if (!file && errno == ENOENT) {
    return std::nullopt;
  }
  if (!file && (errno == EISDIR || errno == ELOOP || errno == ENXIO)) {
    throw_no_lock(path);
  }
  base::check_errno(file.get(), "open " + path);
  struct stat status {};
  base::check_errno(::fstat(file.get(), &status), "examine " + path);
  if (!S_ISREG(status.st_mode)) {
    throw_no_lock(path);
  }
  return file;
}

/// Opens the lock file, creating it and its parents. @return nullopt when a holder that has finished removed one of
/// them meanwhile
std::optional<OpenLock> open_lock(const Layout& layout, const std::string& name, std::vector<std::string>& created) {
  const auto made = make_deployments_directory(layout);
  created.insert(created.end(), made.begin(), made.end());
  auto deployments = base::find_host_directory(layout.deployments());
  if (!deployments) {
    return std::nullopt;
  }
  const auto directory = open_directory(deployments->get(), layout.locks());
  if (!directory) {
    return std::nullopt;
  }
  auto file = *directory ? open_file(directory->get(), name, fmt::format("{}/{}", layout.locks(), name)) : base::Fd();
  if (!file) {
    return std::nullopt;
  }
  if (*file) {
    return OpenLock{std::move(*deployments), std::move(*file)};
  }
  // Commands that free space must work on a full disk: they lock the directory of deployments itself, on which each
  // holder of a lock file has a shared lock.
  file = base::find_host_directory(layout.deployments());
  return file ? std::optional(OpenLock{std::move(*deployments), std::move(*file), false}) : std::nullopt;
}

/// @return false when another process holds the lock
bool try_lock(int file, const std::string& name, int operation = LOCK_EX) {
  if (::flock(file, operation | LOCK_NB) == 0) {
    return true;
  }
  if (errno != EWOULDBLOCK && errno != EINTR) {
    base::throw_errno("lock the container " + name);
  }
  return false;
}

/// The lock itself, and a shared one on the directory of deployments.
bool try_locks(const OpenLock& open, const std::string& name) {
  if (!open.has_file) {
    return try_lock(open.file.get(), name);
  }
  return try_lock(open.file.get(), name) && try_lock(open.deployments.get(), name, LOCK_SH);
}

/// A holder removes its file when it has finished; a lock on a removed file is worthless.
bool is_still_named(int file, int deployments, const std::string& name) {
  struct stat ours {};
  base::check_errno(::fstat(file, &ours), "examine a lock file");
  const auto named = base::stat_at(deployments, path_of(name));
  return named && named->st_dev == ours.st_dev && named->st_ino == ours.st_ino;
}

void write_holder(int file, const std::string& command) {
  const std::string text = fmt::format("{} {}\n", ::getpid(), command);
  const auto size = static_cast<ssize_t>(text.size());
  const bool written = ::pwrite(file, text.data(), text.size(), 0) == size;
  if (::ftruncate(file, written ? size : 0) < 0) {
    return;  // the disk is full: others wait without knowing the holder
  }
}

/// The holder as named in the lock file, e.g. "berth install (pid 123)".
struct Holder {
  std::string description = "another berth command";
  std::string pid;
};

Holder read_holder(int file) {
  std::string text(holder_limit, '\0');
  const ssize_t size = ::pread(file, text.data(), text.size(), 0);
  text.resize(size > 0 ? static_cast<std::size_t>(size) : 0);
  text = text.substr(0, text.find('\n'));
  const std::size_t space = text.find(' ');
  if (space == std::string::npos) {
    return {};  // it has taken the lock and not yet written the file
  }
  Holder holder;
  holder.pid = text.substr(0, space);
  holder.description = fmt::format("{} (pid {})", text.substr(space + 1), holder.pid);
  return holder;
}

[[noreturn]] void throw_held(const Holder& holder, const std::string& name, std::chrono::seconds timeout) {
  const std::string look = holder.pid.empty() ? "" : fmt::format("see it with `ps -p {}`; ", holder.pid);
  throw base::Error(
      base::ErrorKind::conflict,
      fmt::format("{} works on {} and did not finish within {} s", holder.description, name, timeout.count()),
      look + "try again when it is done, or set a longer [locks] timeout in berth.conf");
}

}  // namespace

std::vector<std::string> list_locks(const Layout& layout) {
  const base::Fd directory(::open(layout.locks().c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  return directory ? base::list_directory(directory.get()) : std::vector<std::string>();
}

ContainerLock::ContainerLock(base::Fd file, base::Fd directory, std::string name, std::vector<std::string> created)
    : file_(std::move(file)),
      directory_(std::move(directory)),
      name_(std::move(name)),
      created_directories_(std::move(created)) {}

ContainerLock ContainerLock::take(const Layout& layout, const std::string& name, const std::string& command,
                                  std::chrono::seconds timeout, base::Reporter& reporter, const std::stop_token& stop) {
  const auto deadline = steady_clock::now() + timeout;
  std::vector<std::string> created;
  bool reported = false;
  while (!stop.stop_requested()) {
    std::optional<OpenLock> open = open_lock(layout, name, created);
    if (!open) {
      continue;
    }
    if (try_locks(*open, name)) {
      if (open->has_file && !is_still_named(open->file.get(), open->deployments.get(), name)) {
        continue;
      }
      ContainerLock lock(std::move(open->file), std::move(open->deployments), name, std::move(created));
      if (open->has_file) {
        write_holder(lock.file_.get(), command);
      }
      return lock;
    }
    const Holder holder = open->has_file ? read_holder(open->file.get()) : Holder();
    if (steady_clock::now() >= deadline) {
      throw_held(holder, name, timeout);
    }
    if (!std::exchange(reported, true)) {
      reporter.step(fmt::format("waiting for {}, which works on {}", holder.description, name));
    }
    std::this_thread::sleep_for(poll_interval);
  }
  base::throw_interrupted();
}

ContainerLock::~ContainerLock() {
  if (!file_) {
    return;  // moved from
  }
  // The file is removed while the lock is still held, so that waiting processes notice and create a new one.
  ::unlinkat(directory_.get(), path_of(name_).c_str(), 0);
  ::unlinkat(directory_.get(), locks_directory, AT_REMOVEDIR);
  for (auto path = created_directories_.rbegin(); path != created_directories_.rend(); ++path) {
    ::unlinkat(AT_FDCWD, path->c_str(), AT_REMOVEDIR);  // only if empty
  }
}

}  // namespace berth::host
