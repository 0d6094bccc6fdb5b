// SPDX-License-Identifier: LGPL-2.1-or-later
// berth images prune.
#pragma once

#include <string>
#include <vector>

#include "base/json_fwd.hpp"
#include "ops/context.hpp"

namespace berth::ops {

struct PruneOutcome {
  bool dry_run = false;  ///< nothing was removed
  store::PruneReport store;
  std::vector<std::string> directories;  ///< leftover deployments and mounts that were removed, or would be
};

/// Removes layers that belong to no image, deployments that belong to no container, mounts that a reboot has ended,
/// and all objects that nothing refers to.
/// @param dry_run only report
PruneOutcome prune(Context& context, bool dry_run);

/// berth-images-prune.schema.json
base::Json to_json(const PruneOutcome& outcome);

}  // namespace berth::ops
