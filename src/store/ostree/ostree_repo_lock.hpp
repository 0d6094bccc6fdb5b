// The lock that libostree and the tools on top of it take while they write to a repository or prune it.
#pragma once

#include "base/fd.hpp"
#include "store/ostree/repository_config.hpp"

namespace berth::store {

/// An open file description lock (fcntl(2)) on the whole of `.lock` in the repository, as ostree_repo_lock_push() takes
/// it: shared to write, exclusive to prune. Held until destroyed. Among ourselves RepositoryLock counts.
class OstreeRepoLock {
 public:
  enum class Kind { shared, exclusive };

  /// Waits as long as the repository's configuration says, and takes none where that says so.
  /// @param repository descriptor of the repository's directory
  /// @throws Error(conflict) when another tool holds it all that time
  OstreeRepoLock(int repository, Kind kind, const RepositoryConfig& config);

 private:
  base::Fd file_;
};

}  // namespace berth::store
