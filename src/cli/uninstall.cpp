#include "ops/uninstall.hpp"

#include <fmt/format.h>

#include "cli/command_line.hpp"

namespace berth::cli {

void add_uninstall(CLI::App& app, CommandLine& line) {
  auto* verb = add_verb(app, line, "uninstall", "Stop and remove containers", true, [&line](ops::Session& session) {
    for (const auto& name : line.names) {
      const auto outcome = ops::uninstall(session, name);
      for (const auto& path : outcome.kept_files) {
        session.reporter.warning(fmt::format("{} was edited and stays", path));
      }
      session.reporter.step(fmt::format("uninstalled {}", name));
    }
    return 0;
  });
  verb->add_option("NAME", line.names, "Containers to remove")->required();
}

}  // namespace berth::cli
