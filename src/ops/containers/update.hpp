// berth update: a container moves to what its image is now, or to other values or another image.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "ops/containers/update_resolver.hpp"
#include "ops/context.hpp"
#include "ops/runtime/health_gate.hpp"
#include "ops/transaction.hpp"

namespace berth::ops {

struct UpdateRequest : ImageSelection {
  std::string name;
  std::vector<std::string> set;  ///< --set NAME=VALUE, over the kept values
  GateOptions gate;
};

struct UpdateOutcome {
  bool stopped = false;  ///< somebody else had the service stopped while it was judged
  bool changed = false;  ///< false: the latest version was installed already
  std::string image;
  std::string id_before;
  std::string id_after;
  std::string id_latest;  ///< what the image is now; empty when that was not found out
};

/// Deploys into the other slot with the kept values, while the old deployment serves, and switches. Nothing happens
/// when neither image nor values change.
/// @param hook fault injection for tests
/// @throws Error; the container is then as it was, and runs if it ran. start_failed: it was rolled back
UpdateOutcome update(Context& context, const UpdateRequest& request, const StepHook& hook = {});

/// How update_all fared with one container.
struct UpdateRow {
  std::string container;
  std::string status;  ///< updated, unchanged, rolled back, failed
  UpdateOutcome outcome;
  std::optional<base::Error> error;
};

/// Updates every installed container, one after the other, sorted by name; one that fails does not keep the others.
/// @param request without name, set and rebase
/// @throws Error(interrupted)
std::vector<UpdateRow> update_all(Context& context, const UpdateRequest& request);

}  // namespace berth::ops
