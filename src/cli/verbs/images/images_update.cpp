// SPDX-License-Identifier: LGPL-2.1-or-later
// berth images update.
#include "ops/images/update.hpp"

#include <fmt/format.h>

#include "base/error.hpp"
#include "base/json.hpp"
#include "cli/options/shared_options.hpp"
#include "cli/terminal/exit_code.hpp"
#include "cli/terminal/output.hpp"
#include "cli/terminal/table.hpp"

namespace berth::cli {

namespace {

struct ImagesUpdateOptions {
  std::vector<std::string> images;
  std::string authfile;
  bool all = false;
  bool json = false;
};

void print(const std::vector<ops::ImageUpdate>& updates) {
  std::vector<std::vector<std::string>> rows;
  rows.reserve(updates.size());
  for (const auto& update : updates) {
    rows.push_back(
        {update.name, update.id_before.substr(0, id_digits), update.id_after.substr(0, id_digits), update.status});
  }
  print_table({{"IMAGE", 64}, {"ID BEFORE"}, {"ID AFTER"}, {"STATUS"}}, rows, true, true);
}

int run(const ImagesUpdateOptions& options, const CommandLine& /*line*/, ops::Context& context) {
  if (options.images.empty() != options.all) {
    throw base::Error(base::ErrorKind::usage,
                      options.all ? "--all cannot be used with names" : "the name of an image, or --all, is missing",
                      "see berth images update --help");
  }
  const auto updates = ops::update_images(context, {options.images, options.authfile});
  int code = exit_ok;
  for (const auto& update : updates) {
    const auto reason = fmt::format("{} {}: {}", update.name, update.status, update.reason);
    if (update.error) {
      context.reporter.warning(reason);
      code = code == exit_ok ? exit_code(update.error->kind()) : code;
    } else if (!update.reason.empty()) {
      context.reporter.step(reason);
    }
  }
  if (options.json) {
    emit_json(ops::to_json(updates));
  } else {
    print(updates);
  }
  return code;
}

void declare(const Subcommand& verb, ImagesUpdateOptions& options, CommandLine& /*line*/) {
  verb.add_option("IMAGE", options.images, "Stored images");
  verb.add_flag("--all", options.all, "All stored images");
  add_authfile(verb, options.authfile);
  verb.add_flag("--json", options.json, "Print the result as JSON");
}

}  // namespace

Verb images_update_verb() {
  return make_verb<ImagesUpdateOptions>({.name = "images update",
                                         .order = 70,
                                         .summary = "Pull the current versions of images from their registries",
                                         .needs_root = true},
                                        declare, run);
}

}  // namespace berth::cli
