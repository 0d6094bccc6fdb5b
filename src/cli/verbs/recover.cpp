#include "ops/change/recover.hpp"

#include "cli/terminal/exit_code.hpp"
#include "cli/verbs/command_line.hpp"

namespace berth::cli {

void add_recover(CLI::App& app, CommandLine& line) {
  auto* verb = add_verb(app, line, "recover", "Finish or take back changes that were interrupted", true,
                        [](ops::Context& context) {
                          ops::recover_all(context);
                          return exit_ok;
                        });
  verb->add_flag("--boot", line.booting, "For berth-recover.service: leave starting to the boot");
}

}  // namespace berth::cli
