// SPDX-License-Identifier: LGPL-2.1-or-later
// berth stop.
#include "ops/containers/service.hpp"

#include "cli/verbs/containers/service.hpp"

namespace berth::cli {

Verb stop_verb() {
  return service_verb(
      {.name = "stop", .order = 70, .summary = "Stop the services of containers and wait until they have stopped"},
      ops::stop);
}

}  // namespace berth::cli
