// berth stop.
#include "ops/containers/service.hpp"

#include "cli/verbs/service.hpp"

namespace berth::cli {

Verb stop_verb() {
  return service_verb(
      {.name = "stop", .order = 70, .summary = "Stop the services of containers and wait until they have stopped"},
      ops::stop);
}

}  // namespace berth::cli
