// SPDX-License-Identifier: LGPL-2.1-or-later
// berth images tag.
#include "ops/images/tag.hpp"

#include <fmt/format.h>

#include "cli/options/command_line.hpp"
#include "cli/terminal/exit_code.hpp"

namespace berth::cli {

namespace {

struct TagOptions {
  std::string image;
  std::string name;
};

int run(const TagOptions& options, const CommandLine& /*line*/, ops::Context& context) {
  context.reporter.step(
      fmt::format("{} is now also {}", options.image, ops::tag_image(context, options.image, options.name)));
  return exit_ok;
}

void declare(const Subcommand& verb, TagOptions& options, CommandLine& /*line*/) {
  verb.add_option("IMAGE", options.image, "A stored image").required();
  verb.add_option("NEW-NAME", options.name, "REGISTRY/REPOSITORY[:TAG]").required();
}

}  // namespace

Verb images_tag_verb() {
  return make_verb<TagOptions>(
      {.name = "images tag", .order = 80, .summary = "Give a stored image another name", .needs_root = true}, declare,
      run);
}

}  // namespace berth::cli
