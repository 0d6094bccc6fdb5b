// SPDX-License-Identifier: LGPL-2.1-or-later
// berth images delete.
#include "ops/images/delete.hpp"

#include <fmt/format.h>

#include "cli/options/command_line.hpp"
#include "cli/terminal/exit_code.hpp"

namespace berth::cli {

namespace {

struct DeleteOptions {
  std::vector<std::string> images;
  bool force = false;
};

int run(const DeleteOptions& options, const CommandLine& /*line*/, ops::Context& context) {
  for (const auto& name : ops::delete_images(context, options.images, options.force)) {
    context.reporter.step(fmt::format("deleted {}", name));
  }
  context.reporter.step("berth images prune frees the disk space");
  return exit_ok;
}

void declare(const Subcommand& verb, DeleteOptions& options, CommandLine& /*line*/) {
  verb.add_option("IMAGE", options.images, "Names, or prefixes of ids").required();
  verb.add_flag("-f,--force", options.force, "Also delete names of images that a container uses");
}

}  // namespace

Verb images_delete_verb() {
  return make_verb<DeleteOptions>({.name = "images delete",
                                   .order = 90,
                                   .summary = "Delete images, by name or prefix of the id",
                                   .needs_root = true},
                                  declare, run);
}

}  // namespace berth::cli
