// One-off runs: containers that exist for one command and leave nothing behind.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "base/json.hpp"
#include "host/state/lock.hpp"
#include "ops/context.hpp"
#include "ops/runtime/runtime_command.hpp"

namespace berth::ops {

/// One run. While it lives it holds the lock of its id, and its directory `.staging-ID` below the deployments says what
/// it is; so another command leaves it alone, and the next one after a kill ends what is left of it (recover_pending).
class OneOff {
 public:
  /// @param name of the container or image; the id is `NAME-run-XXXXXX`
  /// @param deployment whose root file system is used, e.g. `web.0`; empty: none but that in the directory
  /// @param runtime as this process runs it
  OneOff(Context& context, const std::string& name, const std::string& deployment, const std::string& runtime);
  OneOff(const OneOff&) = delete;
  OneOff& operator=(const OneOff&) = delete;
  /// Ends the container, should it still be there, and removes the directory.
  ~OneOff();

  [[nodiscard]] const std::string& id() const noexcept { return id_; }
  /// Below the deployments.
  [[nodiscard]] std::string directory() const;

  /// Makes the directory, or takes the one that is there, and says in it what it is.
  void claim() const;

  /// Runs the container to its end, in a cgroup of its own. @param config its config.json; the cgroup is filled in
  CommandOutcome run(base::Json config, const Attachment& attachment, const std::function<void()>& before_start = {});

 private:
  Context& context_;
  std::string id_;
  std::string deployment_;
  std::string runtime_;
  host::ContainerLock lock_;
  bool started_ = false;
};

/// Ends what is left of a one-off whose command was killed. Nothing happens when the directory is not of one.
/// @param entry its directory below the deployments
void end_abandoned_one_off(Context& context, int deployments, const std::string& entry);

/// Throws Error(conflict) when a one-off uses the root file system of one of the deployments, e.g. `web.0`. To be
/// called under the lock of their container, behind recover_pending().
void refuse_while_one_off_runs(const Context& context, const std::vector<std::string>& deployments);

}  // namespace berth::ops
