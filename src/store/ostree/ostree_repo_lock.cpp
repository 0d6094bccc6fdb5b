// SPDX-License-Identifier: LGPL-2.1-or-later
#include "store/ostree/ostree_repo_lock.hpp"

#include <fcntl.h>

#include <cerrno>
#include <thread>

#include "base/error.hpp"
#include "base/file.hpp"

namespace berth::store {
namespace {

using std::chrono::steady_clock;

constexpr mode_t lock_mode = 0660;
constexpr std::chrono::milliseconds poll_interval{100};

bool try_lock(int file, OstreeRepoLock::Kind kind) {
  struct flock whole {};
  whole.l_type = kind == OstreeRepoLock::Kind::shared ? F_RDLCK : F_WRLCK;
  whole.l_whence = SEEK_SET;
  if (::fcntl(file, F_OFD_SETLK, &whole) == 0) {
    return true;
  }
  if (errno != EAGAIN && errno != EACCES && errno != EINTR) {
    base::throw_errno("lock the repository against other tools");
  }
  return false;
}

}  // namespace

OstreeRepoLock::OstreeRepoLock(int repository, Kind kind, const RepositoryConfig& config) {
  if (!config.locking) {
    return;
  }
  file_ = base::open_at(repository, ".lock", O_RDWR | O_CREAT, lock_mode);
  const auto deadline = steady_clock::now() + config.lock_timeout;
  while (!try_lock(file_.get(), kind)) {
    if (steady_clock::now() >= deadline) {
      throw base::Error(base::ErrorKind::conflict, "another tool uses the repository and did not finish in time",
                        "try again when it is done");
    }
    std::this_thread::sleep_for(poll_interval);
  }
}

}  // namespace berth::store
