// SPDX-License-Identifier: LGPL-2.1-or-later
// berth restart.
#include "ops/containers/service.hpp"

#include "cli/verbs/containers/service.hpp"

namespace berth::cli {

Verb restart_verb() {
  return service_verb(
      {.name = "restart", .order = 80, .summary = "Restart the services of containers and wait until they run"},
      ops::restart);
}

}  // namespace berth::cli
