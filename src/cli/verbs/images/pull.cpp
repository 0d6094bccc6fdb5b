// SPDX-License-Identifier: LGPL-2.1-or-later
// berth pull.
#include "ops/images/pull.hpp"

#include <fmt/format.h>

#include "base/json.hpp"
#include "cli/options/shared_options.hpp"
#include "cli/terminal/exit_code.hpp"
#include "cli/terminal/output.hpp"
#include "cli/terminal/terminal.hpp"

namespace berth::cli {

namespace {

struct PullOptions {
  std::string image;
  std::string authfile;
  std::string platform;
  bool json = false;
};

int run(const PullOptions& options, const CommandLine& /*line*/, ops::Context& context) {
  const auto result = ops::pull(context, {options.image, options.authfile, options.platform});
  if (result.skipped_nodes > 0) {
    context.reporter.warning(
        fmt::format("{} device nodes, FIFOs or sockets of the image were omitted", result.skipped_nodes));
  }
  if (options.json) {
    emit_json(ops::to_json(result));
    return exit_ok;
  }
  context.reporter.step(
      result.changed ? fmt::format("pulled {} ({} of {} layers fetched, {})", result.image.name, result.layers_fetched,
                                   result.layers_fetched + result.layers_present, human_size(result.bytes_fetched))
                     : fmt::format("{} is up to date", result.image.name));
  emit("{}\n", result.image.id);
  return exit_ok;
}

void declare(const Subcommand& verb, PullOptions& options, CommandLine& /*line*/) {
  verb.add_option("IMAGE", options.image, "[SOURCE:]IMAGE, e.g. registry.example/etcd:3, oci:DIR, docker-archive:FILE")
      .required();
  add_authfile(verb, options.authfile);
  add_platform(verb, options.platform);
  verb.add_flag("--json", options.json, "Print the result as JSON");
}

}  // namespace

Verb pull_verb() {
  return make_verb<PullOptions>(
      {.name = "pull", .order = 10, .summary = "Fetch an image into the store", .needs_root = true}, declare, run);
}

}  // namespace berth::cli
