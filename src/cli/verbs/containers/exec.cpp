// SPDX-License-Identifier: LGPL-2.1-or-later
// berth exec.
#include "ops/runtime/exec.hpp"

#include "cli/options/command.hpp"

namespace berth::cli {

namespace {

struct ExecOptions {
  std::string name;
  CommandOptions command;
};

int run(const ExecOptions& options, const CommandLine& line, ops::Context& context) {
  const ops::ExecRequest request{options.name, options.command.command, options.command.detach,
                                 attachment_of(options.command, line)};
  return run_attached(line, [&] { return ops::exec(context, request); });
}

void declare(const Subcommand& verb, ExecOptions& options, CommandLine& /*line*/) {
  verb.add_option("NAME", options.name, "A running container").required();
  add_command_options(verb, options.command).required();
}

}  // namespace

Verb exec_verb() {
  return make_verb<ExecOptions>(
      {.name = "exec", .order = 100, .summary = "Run a command in a running container", .needs_root = true}, declare,
      run);
}

}  // namespace berth::cli
