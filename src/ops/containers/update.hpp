// SPDX-License-Identifier: LGPL-2.1-or-later
// berth update: replaces the deployment of a container by one of the current image, of other values, or of another
// image.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/json_fwd.hpp"
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
  bool stopped = false;  ///< the service was stopped by another program during the health gate
  bool changed = false;  ///< false: the latest version was installed already
  std::string image;
  std::string id_before;
  std::string id_after;
  std::string id_latest;  ///< of the current image; empty when it is not known
};

/// Deploys into the other slot, with the values of the container, while the old deployment is running, and switches
/// over. Does nothing when neither the image nor the values change.
/// @param hook fault injection for tests
/// @throws Error; the container is unchanged then, and running if it was. start_failed: it was rolled back
UpdateOutcome update(Context& context, const UpdateRequest& request, const StepHook& hook = {});

/// The result of update_all for one container.
struct UpdateRow {
  std::string container;
  std::string status;  ///< updated, unchanged, rolled back, not running, failed
  UpdateOutcome outcome;
  std::optional<base::Error> error;
};

/// Updates every installed container, one after the other, sorted by name; one that fails does not keep the others.
/// @param request without name, set and rebase
/// @throws Interrupted
std::vector<UpdateRow> update_all(Context& context, const UpdateRequest& request);

/// The update of one container (berth-update.schema.json).
base::Json to_json(const UpdateRow& row);

/// The same of all containers.
base::Json to_json(const std::vector<UpdateRow>& rows);

}  // namespace berth::ops
