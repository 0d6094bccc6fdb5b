// SPDX-License-Identifier: LGPL-2.1-or-later
// berth run.
#include "ops/containers/run.hpp"

#include "cli/options/command.hpp"
#include "cli/options/shared_options.hpp"
#include "cli/terminal/exit_code.hpp"
#include "cli/verbs/containers/plan_view.hpp"

namespace berth::cli {

namespace {

struct RunOptions {
  ImageOptions image;  ///< or a container
  CommandOptions command;
  bool json = false;
};

int run(const RunOptions& options, const CommandLine& line, ops::Context& context) {
  const auto request = run_request(options.image, "", line.values, options.command, line);
  if (request.only_plan) {
    show_plan(options.json, ops::plan_run(context, request), context.layout);
    return exit_ok;
  }
  return run_attached(line, [&] { return ops::run(context, request); });
}

void declare(const Subcommand& verb, RunOptions& options, CommandLine& line) {
  verb.add_option("IMAGE|NAME", options.image.image, "A container, or [SOURCE:]IMAGE").required();
  add_command_options(verb, options.command);
  add_set(verb, line.set, "Set a template variable; may be given several times");
  add_runtime(verb, options.image.runtime);
  add_authfile(verb, options.image.authfile);
  add_platform(verb, options.image.platform);
  verb.add_flag("--display", options.command.display, "Show what an image would run with, and run nothing");
  verb.add_flag("--json", options.json, "With --display: print the plan as JSON");
}

}  // namespace

Verb run_verb() {
  return make_verb<RunOptions>(
      {.name = "run", .order = 90, .summary = "Run a command once, in a container or an image", .needs_root = true},
      declare, run);
}

}  // namespace berth::cli
