// SPDX-License-Identifier: LGPL-2.1-or-later
// The lock of a whole repository between commands that add objects and commands that remove them.
#pragma once

#include "base/fd.hpp"
#include "store/ostree/options.hpp"

namespace berth::store {

/// flock(2) on `.berth-lock` in the repository, held until destroyed; the kernel releases it when the process dies.
/// Commands hold it shared while they rely on objects that no branch and no deployment names yet, and exclusively while
/// they remove or replace objects. Starting a container takes no lock.
class RepositoryLock {
 public:
  enum class Kind { shared, exclusive };

  /// Waits for `options.lock_timeout` and reports the holder of the lock. In a read-only repository, from which nothing
  /// can be removed, no shared lock is taken.
  /// @param repository descriptor of the repository's directory
  /// @throws Error(conflict) naming the holder, Interrupted
  static RepositoryLock take(int repository, Kind kind, const StoreOptions& options);

 private:
  explicit RepositoryLock(base::Fd file) : file_(std::move(file)) {}
  base::Fd file_;
};

}  // namespace berth::store
