// SPDX-License-Identifier: LGPL-2.1-or-later
// berth umount.
#include "cli/options/command_line.hpp"
#include "cli/terminal/exit_code.hpp"
#include "ops/images/mount.hpp"

namespace berth::cli {

namespace {

struct UmountOptions {
  std::string directory;
};

int run(const UmountOptions& options, const CommandLine& /*line*/, ops::Context& context) {
  ops::unmount_view(context, options.directory);
  return exit_ok;
}

void declare(const Subcommand& verb, UmountOptions& options, CommandLine& /*line*/) {
  verb.add_option("DIR", options.directory, "The directory that was given to berth mount").required();
}

}  // namespace

Verb umount_verb() {
  return make_verb<UmountOptions>(
      {.name = "umount", .order = 175, .summary = "Unmount the files shown by berth mount", .needs_root = true},
      declare, run);
}

}  // namespace berth::cli
