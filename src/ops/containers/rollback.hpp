// SPDX-License-Identifier: LGPL-2.1-or-later
// berth rollback: returns to the other deployment of a container.
#pragma once

#include <string>

#include "base/json_fwd.hpp"
#include "ops/context.hpp"
#include "ops/runtime/health_gate.hpp"
#include "ops/transaction.hpp"

namespace berth::ops {

struct RollbackRequest {
  std::string name;
  GateOptions gate;
};

struct RollbackOutcome {
  std::string container;
  std::string image;  ///< of the deployment that is live now
  std::string id_before;
  std::string id_after;
};

/// Makes the other deployment live, with its unit, tmpfiles.d lines and host files. A running service is running
/// afterwards, and a stopped one is stopped. A second rollback returns to the first deployment.
/// @param hook fault injection for tests
/// @throws Error; the container is unchanged then. not_found: there is no other deployment
RollbackOutcome rollback(Context& context, const RollbackRequest& request, const StepHook& hook = {});

/// berth-rollback.schema.json
base::Json to_json(const RollbackOutcome& outcome);

}  // namespace berth::ops
