// One command at a time per container.
#pragma once

#include <chrono>
#include <stop_token>
#include <string>

#include "base/fd.hpp"
#include "base/reporter.hpp"
#include "host/layout.hpp"

namespace berth::host {

/// Holds the lock of one container (flock(2) on .locks/NAME) until destroyed; the kernel releases it when we die.
/// The file holds the holder's pid and command and is removed on release.
class ContainerLock {
 public:
  /// Waits for `timeout`, telling the reporter who holds the lock.
  /// @param command what this process does, for others to read, e.g. "berth install"
  /// @throws Error(conflict) naming the holder, Error(interrupted)
  static ContainerLock take(const Layout& layout, const std::string& name, const std::string& command,
                            std::chrono::seconds timeout, base::Reporter& reporter, const std::stop_token& stop);
  ContainerLock(ContainerLock&&) noexcept = default;
  ContainerLock& operator=(ContainerLock&&) = delete;
  ~ContainerLock();

 private:
  ContainerLock(base::Fd file, base::Fd folder, std::string name);
  base::Fd file_;
  base::Fd folder_;
  std::string name_;
};

}  // namespace berth::host
