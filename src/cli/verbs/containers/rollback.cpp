// SPDX-License-Identifier: LGPL-2.1-or-later
// berth rollback.
#include "ops/containers/rollback.hpp"

#include <fmt/format.h>

#include "base/json.hpp"
#include "cli/options/shared_options.hpp"
#include "cli/terminal/exit_code.hpp"
#include "cli/terminal/output.hpp"
#include "cli/terminal/table.hpp"

namespace berth::cli {

namespace {

struct RollbackOptions {
  ops::RollbackRequest request;
  bool json = false;
};

int run(const RollbackOptions& options, const CommandLine& /*line*/, ops::Context& context) {
  const auto outcome = ops::rollback(context, options.request);
  if (options.json) {
    emit_json(ops::to_json(outcome));
  } else {
    context.reporter.step(fmt::format("rolled {} back to {} {}", outcome.container, outcome.image,
                                      outcome.id_after.substr(0, id_digits)));
  }
  return exit_ok;
}

void declare(const Subcommand& verb, RollbackOptions& options, CommandLine& /*line*/) {
  verb.add_option("NAME", options.request.name, "Container").required();
  add_gate_options(verb, options.request.gate);
  verb.add_flag("--json", options.json, "Print the result as JSON");
}

}  // namespace

Verb rollback_verb() {
  return make_verb<RollbackOptions>(
      {.name = "rollback", .order = 40, .summary = "Roll a container back to its other deployment", .needs_root = true},
      declare, run);
}

}  // namespace berth::cli
