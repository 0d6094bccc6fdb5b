// SPDX-License-Identifier: LGPL-2.1-or-later
// The lock of a container: one command at a time.
#pragma once

#include <chrono>
#include <stop_token>
#include <string>
#include <vector>

#include "base/fd.hpp"
#include "base/reporter.hpp"
#include "host/layout.hpp"

namespace berth::host {

/// Holds the lock of one container (flock(2) on .locks/NAME) until destroyed; the kernel releases it when the process
/// ends. The file has the holder's pid and command. It is removed on release, and so are the directories created for
/// it, if empty. When the disk is too full for the file, the directory of deployments is locked instead, and with it
/// all containers.
class ContainerLock {
 public:
  /// Waits up to `timeout`, and reports the holder of the lock.
  /// @param command of this process, for the messages of others, e.g. "berth install"
  /// @throws Error(conflict) naming the holder, or the path that is in the way; Interrupted
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
  std::vector<std::string> created_directories_;  ///< created for the lock; removed if still empty
};

/// Names of the existing lock files, held or left by a killed process.
std::vector<std::string> list_locks(const Layout& layout);

}  // namespace berth::host
