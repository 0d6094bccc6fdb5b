// SPDX-License-Identifier: LGPL-2.1-or-later
#include "store/ostree/repository_lock.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <optional>
#include <sstream>
#include <string>
#include <string_view>
#include <thread>
#include <utility>

#include "base/error.hpp"
#include "base/file.hpp"

namespace berth::store {
namespace {

using std::chrono::steady_clock;

constexpr const char* lock_name = ".berth-lock";
constexpr std::chrono::milliseconds poll_interval{50};
constexpr std::uint64_t proc_limit = std::uint64_t{4} << 20U;  // bytes of a file in /proc worth reading

/// nullopt when the repository is read-only and a shared lock is requested.
std::optional<base::Fd> open_lock(int repository, RepositoryLock::Kind kind) {
  try {
    return base::open_at(repository, lock_name, O_RDWR | O_CREAT, 0600);
  } catch (const base::Error& error) {
    if (error.kind() == base::ErrorKind::not_permitted && kind == RepositoryLock::Kind::shared) {
      return std::nullopt;
    }
    throw;
  }
}

bool try_lock(int file, RepositoryLock::Kind kind) {
  const int operation = kind == RepositoryLock::Kind::shared ? LOCK_SH : LOCK_EX;
  if (::flock(file, operation | LOCK_NB) == 0) {
    return true;
  }
  if (errno != EWOULDBLOCK && errno != EINTR) {
    base::throw_errno("lock the repository");
  }
  return false;
}

std::string read_proc(const std::string& path) {
  try {
    const base::Fd file = base::open_at(AT_FDCWD, path, O_RDONLY);
    return base::read_all(file.get(), proc_limit, path);
  } catch (const base::Error&) {
    return {};  // the process has ended, or /proc is not mounted
  }
}

/// The process that holds a lock on `inode`, from proc(5) /proc/locks: "1: FLOCK ADVISORY WRITE PID MAJ:MIN:INODE 0
/// EOF".
std::string pid_of_holder(ino_t inode) {
  std::istringstream locks(read_proc("/proc/locks"));
  const std::string suffix = fmt::format(":{}", inode);
  for (std::string line; std::getline(locks, line);) {
    std::istringstream fields(line);
    std::string number;
    std::string kind;
    std::string advisory;
    std::string access;
    std::string pid;
    std::string place;
    fields >> number >> kind >> advisory >> access >> pid >> place;
    if (kind == "FLOCK" && place.ends_with(suffix) && pid != "0") {
      return pid;
    }
  }
  return {};
}

/// Program and verb of a command line; its other arguments may be secret.
std::string command_of(const std::string& pid) {
  const std::string line = read_proc(fmt::format("/proc/{}/cmdline", pid));
  std::string command;
  for (std::size_t begin = 0; begin < line.size();) {
    const auto end = std::min(line.find('\0', begin), line.size());
    const std::string word = line.substr(begin, end - begin);
    begin = end + 1;
    if (command.empty()) {
      command = word.substr(word.rfind('/') + 1);
    } else if (word.find_first_not_of("abcdefghijklmnopqrstuvwxyz") == std::string::npos) {
      return base::printable(fmt::format("{} {}", command, word));
    }
  }
  return base::printable(command);
}

std::string describe_holder(int file) {
  struct stat status {};
  base::check_errno(::fstat(file, &status), "examine the lock of the repository");
  const auto pid = pid_of_holder(status.st_ino);
  const auto command = pid.empty() ? std::string() : command_of(pid);
  return command.empty() ? "another berth command" : fmt::format("{} (pid {})", command, pid);
}

}  // namespace

RepositoryLock RepositoryLock::take(int repository, Kind kind, const StoreOptions& options) {
  auto file = open_lock(repository, kind);
  if (!file) {
    return RepositoryLock(base::Fd());
  }
  const auto deadline = steady_clock::now() + options.lock_timeout;
  bool reported = false;
  while (!options.stop.stop_requested()) {
    if (try_lock(file->get(), kind)) {
      return RepositoryLock(std::move(*file));
    }
    const auto holder = describe_holder(file->get());
    if (steady_clock::now() >= deadline) {
      throw base::Error(
          base::ErrorKind::conflict,
          fmt::format("{} uses the images and did not finish within {} s", holder, options.lock_timeout.count()),
          "try again when it is done, or set a longer [locks] timeout in berth.conf");
    }
    if (!std::exchange(reported, true)) {
      options.reporter->step(fmt::format("waiting for {}, which uses the images", holder));
    }
    std::this_thread::sleep_for(poll_interval);
  }
  base::throw_interrupted();
}

}  // namespace berth::store
