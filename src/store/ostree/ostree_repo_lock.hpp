// SPDX-License-Identifier: LGPL-2.1-or-later
// The lock that libostree and the tools on top of it take while they write to a repository or prune it.
#pragma once

#include "base/fd.hpp"
#include "store/ostree/repository_config.hpp"

namespace berth::store {

/// An open file description lock (fcntl(2)) on the whole of `.lock` in the repository, as ostree_repo_lock_push() takes
/// it: shared to write, exclusive to prune. Held until destroyed. Commands of berth exclude each other by
/// RepositoryLock.
class OstreeRepoLock {
 public:
  enum class Kind { shared, exclusive };

  /// Waits as long as the repository's configuration requests; takes no lock when that disables locking.
  /// @param repository descriptor of the repository's directory
  /// @throws Error(conflict) when another tool holds it longer
  OstreeRepoLock(int repository, Kind kind, const RepositoryConfig& config);

 private:
  base::Fd file_;
};

}  // namespace berth::store
