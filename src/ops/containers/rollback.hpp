// berth rollback: back to the other deployment of a container.
#pragma once

#include <string>

#include "ops/context.hpp"
#include "ops/runtime/health_gate.hpp"
#include "ops/transaction.hpp"

namespace berth::ops {

struct RollbackRequest {
  std::string name;
  GateOptions gate;
};

struct RollbackOutcome {
  std::string image;  ///< of the deployment that is live now
  std::string id_before;
  std::string id_after;
};

/// Makes the other deployment live again, with its unit, tmpfiles.d lines and host files. A running service is running
/// afterwards, a stopped one stopped. Rolling back twice returns.
/// @param hook fault injection for tests
/// @throws Error; the container is then as it was. not_found: there is no other deployment
RollbackOutcome rollback(Context& context, const RollbackRequest& request, const StepHook& hook = {});

}  // namespace berth::ops
