// SPDX-License-Identifier: LGPL-2.1-or-later
// berth inspect.
#include "ops/containers/inspect.hpp"

#include "base/json.hpp"
#include "cli/options/command_line.hpp"
#include "cli/terminal/exit_code.hpp"
#include "cli/terminal/output.hpp"

namespace berth::cli {

namespace {

struct InspectOptions {
  std::string name;
  bool json = false;
};

int run(const InspectOptions& options, const CommandLine& /*line*/, ops::Context& context) {
  emit_json(ops::to_json(ops::inspect(context, options.name)));
  return exit_ok;
}

void declare(const Subcommand& verb, InspectOptions& options, CommandLine& /*line*/) {
  verb.add_option("IMAGE|NAME", options.name, "An image, or a container").required();
  verb.add_flag("--json", options.json, "Print JSON, the only output format");
}

}  // namespace

Verb inspect_verb() {
  return make_verb<InspectOptions>(
      {.name = "inspect", .order = 140, .summary = "Show details of a container or an image as JSON"}, declare, run);
}

}  // namespace berth::cli
