#include <fmt/format.h>

#include "cli/terminal/output.hpp"
#include "cli/terminal/terminal.hpp"
#include "cli/verbs/command_line.hpp"

namespace berth::cli {

namespace {

base::Json to_json(const store::PullResult& result) {
  return {{"image", result.image.name},
          {"imageId", result.image.id},
          {"manifestDigest", result.image.manifest_digest},
          {"commit", result.image.commit},
          {"changed", result.changed},
          {"layersFetched", result.layers_fetched},
          {"layersPresent", result.layers_present},
          {"bytesFetched", result.bytes_fetched},
          {"skippedNodes", result.skipped_nodes}};
}

int run_pull(const CommandLine& line, ops::Context& context) {
  const auto result = ops::pull(context, line.pull);
  if (result.skipped_nodes > 0) {
    context.reporter.warning(
        fmt::format("{} device nodes, fifos or sockets of the image were left out", result.skipped_nodes));
  }
  if (line.json) {
    emit_json(to_json(result));
    return 0;
  }
  context.reporter.step(
      result.changed ? fmt::format("pulled {} ({} of {} layers fetched, {})", result.image.name, result.layers_fetched,
                                   result.layers_fetched + result.layers_present, human_size(result.bytes_fetched))
                     : fmt::format("{} is up to date", result.image.name));
  emit("{}\n", result.image.id);
  return 0;
}

}  // namespace

void add_pull(CLI::App& app, CommandLine& line) {
  auto* verb = add_verb(app, line, "pull", "Fetch an image into the store", true,
                        [&line](ops::Context& context) { return run_pull(line, context); });
  verb->add_option("IMAGE", line.pull.image,
                   "[SOURCE:]IMAGE, e.g. registry.example/etcd:3, oci:DIR, docker-archive:FILE")
      ->required();
  add_authfile(*verb, line.pull.authfile);
  add_platform(*verb, line.pull.platform);
  verb->add_flag("--json", line.json, "Print the result as JSON");
}

}  // namespace berth::cli
