// SPDX-License-Identifier: LGPL-2.1-or-later
#include "store/ostree/staging.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/types.h>

#include <cerrno>
#include <charconv>
#include <csignal>
#include <ctime>
#include <string>
#include <string_view>

#include "base/error.hpp"
#include "base/fd.hpp"
#include "base/file.hpp"

namespace berth::store {
namespace {

constexpr std::string_view staging_prefix = "staging-";
constexpr std::string_view repair_prefix = "berth-repair-";
constexpr std::string_view lock_suffix = "-lock";

bool is_young(int temporary, const std::string& directory, std::chrono::seconds age) {
  const auto status = base::stat_at(temporary, directory);
  return status && std::time(nullptr) - status->st_mtime < age.count();
}

struct flock write_lock() {
  struct flock whole {};
  whole.l_type = F_WRLCK;
  whole.l_whence = SEEK_SET;
  return whole;
}

/// Whether a directory `berth-repair-PID`, which has no lock, is of a process that has ended.
bool is_dead_repair(int temporary, const std::string& name) {
  pid_t pid = 0;
  const auto digits = std::string_view(name).substr(repair_prefix.size());
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), pid);
  if (error != std::errc() || end != digits.data() + digits.size() || pid <= 0) {
    return false;
  }
  return (::kill(pid, 0) != 0 && errno == ESRCH) || !is_young(temporary, name, std::chrono::hours(24));
}

/// The lock beside a staging directory, which libostree holds while it uses the directory; empty when it is taken.
base::Fd try_lock(int directory, const std::string& lock_name) {
  base::Fd lock = base::open_at(directory, lock_name, O_CREAT | O_RDWR, 0600);
  auto whole = write_lock();
  if (::fcntl(lock.get(), F_OFD_SETLK, &whole) != 0) {
    return {};
  }
  struct stat status {};
  base::check_errno(::fstat(lock.get(), &status), "examine " + lock_name);
  // The last owner removed the file between open and lock: the directory is removed as well, or has a new owner.
  return status.st_nlink == 0 ? base::Fd() : std::move(lock);
}

}  // namespace

base::Fd lock_staging(int directory, const std::string& name) {
  auto whole = write_lock();
  while (true) {
    auto lock = base::open_at(directory, name + std::string(lock_suffix), O_CREAT | O_RDWR, 0600);
    base::check_errno(::fcntl(lock.get(), F_OFD_SETLKW, &whole), "lock a staging directory of the repository");
    struct stat status {};
    base::check_errno(::fstat(lock.get(), &status), "examine the lock of a staging directory");
    // Another process may have removed the file before it was locked, taking it for that of an ended process.
    if (status.st_nlink > 0) {
      return lock;
    }
  }
}

void remove_stale_staging(int repository, std::chrono::seconds least_age) {
  const auto temporary = base::open_directory_at(repository, "tmp");
  for (const auto& name : base::list_directory(temporary.get())) {
    if (name.starts_with(repair_prefix) && is_dead_repair(temporary.get(), name)) {
      base::remove_tree_at(temporary.get(), name);
    }
    if (!name.starts_with(staging_prefix)) {
      continue;
    }
    const bool is_lock = name.ends_with(lock_suffix);
    const auto directory = is_lock ? name.substr(0, name.size() - lock_suffix.size()) : name;
    const auto lock_name = directory + std::string(lock_suffix);
    if (!directory.starts_with(own_staging_prefix) && is_young(temporary.get(), directory, least_age)) {
      continue;
    }
    if (const auto lock = try_lock(temporary.get(), lock_name)) {
      base::remove_tree_at(temporary.get(), directory);
      base::unlink_at(temporary.get(), lock_name);
    }
  }
}

}  // namespace berth::store
