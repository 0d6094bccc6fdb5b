// SPDX-License-Identifier: LGPL-2.1-or-later
// berth images prune.
#include "ops/images/prune.hpp"

#include "base/json.hpp"
#include "cli/options/command_line.hpp"
#include "cli/terminal/exit_code.hpp"
#include "cli/terminal/output.hpp"
#include "cli/terminal/terminal.hpp"

namespace berth::cli {

namespace {

struct PruneOptions {
  bool dry_run = false;
  bool json = false;
};

int run(const PruneOptions& options, const CommandLine& /*line*/, ops::Context& context) {
  const auto outcome = ops::prune(context, options.dry_run);
  if (options.json) {
    emit_json(ops::to_json(outcome));
    return exit_ok;
  }
  const char* removed = options.dry_run ? "would remove" : "removed";
  for (const auto& directory : outcome.directories) {
    emit("{} {}\n", removed, directory);
  }
  emit("{} {} layers and {} objects, {}\n", removed, outcome.store.layers, outcome.store.objects,
       human_size(outcome.store.bytes));
  return exit_ok;
}

void declare(const Subcommand& verb, PruneOptions& options, CommandLine& /*line*/) {
  verb.add_flag("--dry-run", options.dry_run, "Only show how much would be removed");
  verb.add_flag("--json", options.json, "Print the result as JSON");
}

}  // namespace

Verb images_prune_verb() {
  return make_verb<PruneOptions>({.name = "images prune",
                                  .order = 100,
                                  .summary = "Remove everything that no image and no container uses",
                                  .needs_root = true},
                                 declare, run);
}

}  // namespace berth::cli
