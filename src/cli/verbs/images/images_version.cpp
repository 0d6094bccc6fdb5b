// SPDX-License-Identifier: LGPL-2.1-or-later
// berth images version.
#include "base/json.hpp"
#include "cli/options/command_line.hpp"
#include "cli/terminal/exit_code.hpp"
#include "cli/terminal/output.hpp"
#include "cli/terminal/table.hpp"
#include "ops/images/versions.hpp"

namespace berth::cli {

namespace {

struct VersionOptions {
  std::vector<std::string> images;
  bool json = false;
};

int run(const VersionOptions& options, const CommandLine& /*line*/, ops::Context& context) {
  const auto versions = ops::image_versions(context, options.images);
  if (options.json) {
    emit_json(ops::to_json(versions));
    return exit_ok;
  }
  std::vector<std::vector<std::string>> rows;
  rows.reserve(versions.size());
  for (const auto& version : versions) {
    rows.push_back(
        {version.name, version.version.empty() ? "<none>" : version.version, version.id.substr(0, id_digits)});
  }
  print_table({{"IMAGE", 64}, {"VERSION", 32}, {"IMAGE ID"}}, rows, true, true);
  return exit_ok;
}

void declare(const Subcommand& verb, VersionOptions& options, CommandLine& /*line*/) {
  verb.add_option("IMAGE|NAME", options.images, "Images, or containers; default: all images");
  verb.add_flag("--json", options.json, "Print JSON");
}

}  // namespace

Verb images_version_verb() {
  return make_verb<VersionOptions>(
      {.name = "images version", .order = 40, .summary = "Show the versions in the labels of images"}, declare, run);
}

}  // namespace berth::cli
