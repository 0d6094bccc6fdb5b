// SPDX-License-Identifier: LGPL-2.1-or-later
// berth init.
#include "ops/author/init.hpp"

#include <fmt/format.h>

#include "base/json.hpp"
#include "cli/options/shared_options.hpp"
#include "cli/terminal/exit_code.hpp"
#include "cli/terminal/output.hpp"

namespace berth::cli {

namespace {

struct InitOptions {
  std::string directory;
  ops::PreviewRequest from;
  bool json = false;
};

int run(const InitOptions& options, const CommandLine& /*line*/, ops::Context& context) {
  const auto outcome = ops::init(context, {options.directory, options.from});
  if (options.json) {
    emit_json(ops::to_json(outcome));
    return exit_ok;
  }
  for (const auto& file : outcome.files) {
    context.reporter.step(fmt::format("wrote {}/{}", outcome.directory, file));
  }
  return exit_ok;
}

void declare(const Subcommand& verb, InitOptions& options, CommandLine& /*line*/) {
  verb.add_option("DIR", options.directory, "Directory to write into; existing files are not overwritten").required();
  verb.add_option("--from", options.from.target, "Start from the configuration of this image")
      .type_name("[SOURCE:]IMAGE");
  verb.add_flag("--json", options.json, "Print the written files as JSON");
  add_authfile(verb, options.from.authfile);
  add_platform(verb, options.from.platform);
}

}  // namespace

Verb init_verb() {
  return make_verb<InitOptions>({.name = "init", .order = 180, .summary = "Write initial templates for an image"},
                                declare, run);
}

}  // namespace berth::cli
