// SPDX-License-Identifier: LGPL-2.1-or-later
// One-off runs: containers that exist for one command and leave nothing behind.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "base/json_fwd.hpp"
#include "host/state/lock.hpp"
#include "ops/context.hpp"
#include "ops/runtime/runtime_command.hpp"

namespace berth::ops {

/// One run. It holds the lock of its id, and a record in its directory `.staging-ID` below the deployments. Other
/// commands leave it alone while the lock is held; when it was killed, the next command cleans up (recover_pending).
class OneOff {
 public:
  /// @param name of the container or image; the id is `NAME-run-XXXXXX`
  /// @param deployment whose root file system is used, e.g. `web.0`; empty: the root file system is in the directory
  /// @param runtime path for this process
  OneOff(Context& context, const std::string& name, const std::string& deployment, const std::string& runtime);
  OneOff(const OneOff&) = delete;
  OneOff& operator=(const OneOff&) = delete;
  /// Deletes the container if it exists, and removes the directory.
  ~OneOff();

  [[nodiscard]] const std::string& id() const noexcept { return id_; }
  /// Name of the directory below the deployments.
  [[nodiscard]] std::string directory() const;

  /// Creates the directory unless it exists, and writes the record in it.
  void claim() const;

  /// Runs the container to its end, in a scope of its own. @param config its config.json, without cgroupsPath
  CommandOutcome run(base::Json config, const Attachment& attachment, const std::function<void()>& before_start = {});

 private:
  Context& context_;
  std::string id_;
  std::string deployment_;
  std::string runtime_;
  host::ContainerLock lock_;
  bool started_ = false;
};

/// Ends the container of a one-off run whose command was killed. Does nothing for other staging directories.
/// @param entry its directory below the deployments
void end_abandoned_one_off(Context& context, int deployments, const std::string& entry);

/// Throws Error(conflict) when a one-off uses the root file system of one of the deployments, e.g. `web.0`. To be
/// called under the lock of their container, after recover_pending().
void refuse_while_one_off_runs(const Context& context, const std::vector<std::string>& deployments);

}  // namespace berth::ops
