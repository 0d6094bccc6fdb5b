// One command at a time per container.
#pragma once

#include <chrono>
#include <stop_token>
#include <string>
#include <vector>

#include "base/fd.hpp"
#include "base/reporter.hpp"
#include "host/layout.hpp"

namespace berth::host {

/// Holds the lock of one container (flock(2) on .locks/NAME) until destroyed; the kernel releases it when we die.
/// The file holds the holder's pid and command and is removed on release, as are the directories made for it, if empty.
/// Without room for the file the directory of deployments is locked instead, and with it all containers.
class ContainerLock {
 public:
  /// Waits for `timeout`, telling the reporter who holds the lock.
  /// @param command what this process does, for others to read, e.g. "berth install"
  /// @throws Error(conflict) naming the holder, or what is in the way with the remedy; Error(interrupted)
  static ContainerLock take(const Layout& layout, const std::string& name, const std::string& command,
                            std::chrono::seconds timeout, base::Reporter& reporter, const std::stop_token& stop);
  ContainerLock(ContainerLock&&) noexcept = default;
  ContainerLock& operator=(ContainerLock&&) = delete;
  ~ContainerLock();

 private:
  ContainerLock(base::Fd file, base::Fd directory, std::string name, std::vector<std::string> created);
  base::Fd file_;
  base::Fd directory_;  ///< the deployments directory
  std::string name_;
  std::vector<std::string> created_directories_;  ///< made to have a place for the lock; removed if still empty
};

/// Names of the lock files that are there, held or left by a process that was killed.
std::vector<std::string> list_locks(const Layout& layout);

}  // namespace berth::host
