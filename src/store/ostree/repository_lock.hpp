// Who may remove objects, and when: one lock for a whole repository.
#pragma once

#include "base/fd.hpp"
#include "store/ostree/options.hpp"

namespace berth::store {

/// flock(2) on `.berth-lock` in the repository, held until destroyed; the kernel releases it when we die. Whoever
/// relies on objects that no branch and no deployment names yet holds it shared; whoever removes or replaces objects
/// holds it exclusively. Starting a container takes no lock.
class RepositoryLock {
 public:
  enum class Kind { shared, exclusive };

  /// Waits for `options.lock_timeout`, telling the reporter who holds the lock. A repository that cannot be written to
  /// needs no shared lock, for nothing can be removed from it: then nothing is held.
  /// @param repository descriptor of the repository's directory
  /// @throws Error(conflict) naming the holder, Error(interrupted)
  static RepositoryLock take(int repository, Kind kind, const StoreOptions& options);

 private:
  explicit RepositoryLock(base::Fd file) : file_(std::move(file)) {}
  base::Fd file_;
};

}  // namespace berth::store
