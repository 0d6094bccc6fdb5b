// berth mount, berth umount.
#include "ops/images/mount.hpp"

#include <fmt/format.h>

#include "base/error.hpp"
#include "cli/terminal/exit_code.hpp"
#include "cli/verbs/command_line.hpp"

namespace berth::cli {

void add_mount(CLI::App& app, CommandLine& line) {
  auto* verb = add_verb(app, line, "mount", "Show the files of an image or container in a directory, read-only", true,
                        [&line](ops::Context& context) {
                          if (line.live) {
                            throw base::Error(base::ErrorKind::usage, "system containers do not support --live",
                                              "without --live the files are shown read-only");
                          }
                          ops::mount_view(context, line.image, line.target);
                          return exit_ok;
                        });
  verb->add_option("IMAGE|NAME", line.image, "An image, or a container")->required();
  verb->add_option("DIR", line.target, "An existing directory")->required();
  verb->add_flag("--live", line.live, "Refused: a system container has no writable files of its own");
}

void add_umount(CLI::App& app, CommandLine& line) {
  auto* verb =
      add_verb(app, line, "umount", "End what berth mount shows in a directory", true, [&line](ops::Context& context) {
        ops::unmount_view(context, line.target);
        return exit_ok;
      });
  verb->add_option("DIR", line.target, "The directory that was given to berth mount")->required();
}

}  // namespace berth::cli
