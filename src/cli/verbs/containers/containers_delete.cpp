// SPDX-License-Identifier: LGPL-2.1-or-later
// berth containers delete.
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <unistd.h>

#include <cstdio>

#include "base/error.hpp"
#include "cli/terminal/exit_code.hpp"
#include "cli/terminal/output.hpp"
#include "cli/verbs/containers/uninstall.hpp"
#include "ops/containers/list.hpp"

namespace berth::cli {

namespace {

struct DeleteOptions {
  std::vector<std::string> names;
  bool all = false;
  bool force = false;
};

/// All containers except those that are part of the operating system.
std::vector<std::string> removable(ops::Context& context) {
  std::vector<std::string> names;
  for (const auto& row : ops::list_containers(context, {true, {}})) {
    if (!row.preinstalled) {
      names.push_back(row.name);
    }
  }
  return names;
}

/// @throws Error(usage) when standard input is not a terminal
bool confirmed(const std::vector<std::string>& names) {
  if (::isatty(STDIN_FILENO) == 0) {
    throw base::Error(base::ErrorKind::usage,
                      fmt::format("deleting {} requires a confirmation, but standard input is not a terminal",
                                  fmt::join(names, ", ")),
                      "confirm with --force");
  }
  return ask(stderr, fmt::format("Delete {}? [y/N] ", fmt::join(names, ", ")));
}

int run(const DeleteOptions& options, const CommandLine& line, ops::Context& context) {
  if (options.all == !options.names.empty()) {
    throw base::Error(base::ErrorKind::usage,
                      options.all ? "--all cannot be used with names" : "the name of a container, or --all, is missing",
                      "see berth containers delete --help");
  }
  const auto names = options.all ? removable(context) : options.names;
  if (!names.empty() && !options.force && !confirmed(names)) {
    context.reporter.step("nothing was deleted");
    return exit_ok;
  }
  return uninstall_all(line, context, names);
}

void declare(const Subcommand& verb, DeleteOptions& options, CommandLine& /*line*/) {
  verb.add_option("NAME", options.names, "Containers to remove");
  verb.add_flag("-a,--all", options.all, "All installed containers");
  verb.add_flag("-f,--force,-y,--yes", options.force, "Do not ask for confirmation");
}

}  // namespace

Verb containers_delete_verb() {
  return make_verb<DeleteOptions>({.name = "containers delete",
                                   .order = 20,
                                   .summary = "Stop and remove containers, after confirmation",
                                   .needs_root = true},
                                  declare, run);
}

}  // namespace berth::cli
