// SPDX-License-Identifier: LGPL-2.1-or-later
// berth images info.
#include "base/json.hpp"
#include "base/shown_text.hpp"
#include "cli/options/command_line.hpp"
#include "cli/terminal/exit_code.hpp"
#include "cli/terminal/output.hpp"
#include "ops/images/describe.hpp"

namespace berth::cli {

namespace {

struct InfoOptions {
  std::string image;
  bool json = false;
};

void print_variables(const ops::ImageDescription& description) {
  if (!description.defaults.empty()) {
    emit("\nTemplate variables with default value, but overridable with --set:\n");
    for (const auto& [name, value] : description.defaults) {
      emit("{}: {}\n", name, base::shown_line(value));
    }
  }
  if (!description.required.empty()) {
    emit("\nTemplate variables that have no default value, and must be set with --set:\n");
    for (const auto& name : description.required) {
      emit("{}: {{DEF_VALUE}}\n", name);
    }
  }
  if (!description.provided.empty()) {
    emit("\nTemplate variables that are set by berth:\n");
    for (const auto& name : description.provided) {
      emit("{}\n", name);
    }
  }
}

int run(const InfoOptions& options, const CommandLine& /*line*/, ops::Context& context) {
  const auto description = ops::describe_image(context, options.image);
  if (options.json) {
    emit_json(ops::to_json(description));
    return exit_ok;
  }
  emit("Image Name: {}\n", description.image.name);
  for (const auto& [name, value] : description.labels) {
    emit("{}: {}\n", base::shown_line(name), base::shown_line(value));
  }
  print_variables(description);
  return exit_ok;
}

void declare(const Subcommand& verb, InfoOptions& options, CommandLine& /*line*/) {
  verb.add_option("IMAGE|NAME", options.image, "An image, or a container").required();
  verb.add_flag("--json", options.json, "Print JSON");
}

}  // namespace

Verb images_info_verb() {
  return make_verb<InfoOptions>(
      {.name = "images info", .order = 20, .summary = "Show labels and template variables of an image"}, declare, run);
}

}  // namespace berth::cli
