// SPDX-License-Identifier: LGPL-2.1-or-later
// berth start.
#include "ops/containers/service.hpp"

#include "cli/verbs/containers/service.hpp"

namespace berth::cli {

Verb start_verb() {
  return service_verb(
      {.name = "start", .order = 60, .summary = "Start the services of containers and wait until they run"},
      ops::start);
}

}  // namespace berth::cli
