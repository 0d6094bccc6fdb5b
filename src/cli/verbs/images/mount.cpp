// SPDX-License-Identifier: LGPL-2.1-or-later
// berth mount.
#include "ops/images/mount.hpp"

#include "base/error.hpp"
#include "cli/options/command_line.hpp"
#include "cli/terminal/exit_code.hpp"

namespace berth::cli {

namespace {

struct MountOptions {
  std::string image;
  std::string directory;
  bool live = false;
};

int run(const MountOptions& options, const CommandLine& /*line*/, ops::Context& context) {
  if (options.live) {
    throw base::Error(base::ErrorKind::usage, "system containers do not support --live",
                      "without --live the files are shown read-only");
  }
  ops::mount_view(context, options.image, options.directory);
  return exit_ok;
}

void declare(const Subcommand& verb, MountOptions& options, CommandLine& /*line*/) {
  verb.add_option("IMAGE|NAME", options.image, "An image, or a container").required();
  verb.add_option("DIR", options.directory, "An existing directory").required();
  verb.add_flag("--live", options.live, "Refused: a system container has no writable layer");
}

}  // namespace

Verb mount_verb() {
  return make_verb<MountOptions>({.name = "mount",
                                  .order = 170,
                                  .summary = "Mount the files of an image or container, read-only",
                                  .needs_root = true},
                                 declare, run);
}

}  // namespace berth::cli
