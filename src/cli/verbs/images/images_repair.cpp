// SPDX-License-Identifier: LGPL-2.1-or-later
// berth images repair.
#include "ops/images/repair.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/json.hpp"
#include "base/shown_text.hpp"
#include "cli/options/shared_options.hpp"
#include "cli/terminal/exit_code.hpp"
#include "cli/terminal/output.hpp"

namespace berth::cli {

namespace {

struct RepairOptions {
  std::string image;
  std::string authfile;
  bool json = false;
};

int run(const RepairOptions& options, const CommandLine& /*line*/, ops::Context& context) {
  const auto outcome = ops::repair_image(context, options.image, options.authfile);
  if (options.json) {
    emit_json(ops::to_json(outcome));
    return exit_ok;
  }
  emit("{}: {} damaged objects replaced, {} layers fetched\n", outcome.name, outcome.damaged, outcome.layers);
  for (const auto& container : outcome.mended) {
    const auto text = fmt::format("{}: {} replaced", container.container.empty() ? container.path : container.container,
                                  fmt::join(container.files, ", "));
    emit("{}\n", base::shown_line(text));
    if (container.live) {
      context.reporter.step(
          fmt::format("restart {0} if it runs: berth stop {0}; berth start {0}", container.container));
    }
  }
  return exit_ok;
}

void declare(const Subcommand& verb, RepairOptions& options, CommandLine& /*line*/) {
  verb.add_option("IMAGE|NAME", options.image, "An image, a container, or SOURCE:IMAGE to fetch from").required();
  add_authfile(verb, options.authfile);
  verb.add_flag("--json", options.json, "Print the result as JSON");
}

}  // namespace

Verb images_repair_verb() {
  return make_verb<RepairOptions>({.name = "images repair",
                                   .order = 60,
                                   .summary = "Replace damaged files of an image and of its containers",
                                   .needs_root = true},
                                  declare, run);
}

}  // namespace berth::cli
