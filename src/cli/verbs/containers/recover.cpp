// SPDX-License-Identifier: LGPL-2.1-or-later
// berth recover.
#include "ops/change/recover.hpp"

#include "cli/options/command_line.hpp"
#include "cli/terminal/exit_code.hpp"

namespace berth::cli {

namespace {

struct RecoverOptions {};

int run(const RecoverOptions& /*options*/, const CommandLine& /*line*/, ops::Context& context) {
  ops::recover_all(context);
  return exit_ok;
}

void declare(const Subcommand& verb, RecoverOptions& /*options*/, CommandLine& line) {
  verb.add_flag("--boot", line.booting, "For berth-recover.service: leave starting services to the boot");
}

}  // namespace

Verb recover_verb() {
  return make_verb<RecoverOptions>(
      {.name = "recover", .order = 150, .summary = "Complete or undo interrupted changes", .needs_root = true}, declare,
      run);
}

}  // namespace berth::cli
