// berth uninstall, and berth containers delete, which asks first.
#include "ops/containers/uninstall.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <unistd.h>

#include <cstdio>
#include <iostream>

#include "base/error.hpp"
#include "cli/terminal/output.hpp"
#include "cli/verbs/command_line.hpp"
#include "host/state/deployment.hpp"
#include "ops/containers/query.hpp"

namespace berth::cli {

namespace {

int uninstall_all(const CommandLine& line, ops::Context& context, const std::vector<std::string>& names) {
  return for_each_name(line, names, [&context](const std::string& name) {
    const auto outcome = ops::uninstall(context, name);
    for (const auto& path : outcome.kept_files) {
      context.reporter.warning(fmt::format("{} was edited and stays", path));
    }
    for (const auto& path : outcome.saved_texts) {
      context.reporter.warning(fmt::format("what was edited is kept as {}", path));
    }
    for (const auto& unit : outcome.stopped_units) {
      context.reporter.warning(fmt::format("{} was stopped with {}, which it needs", unit, name));
    }
    for (const auto& message : outcome.remarks) {
      context.reporter.step(message);
    }
    context.reporter.step(fmt::format("uninstalled {}", name));
    if (host::is_preinstalled(context.layout, name)) {
      context.reporter.step(
          fmt::format("the {} of the operating system is back; start it with: berth start {}", name, name));
    }
  });
}

/// Every container but those that are part of the operating system.
std::vector<std::string> removable(ops::Context& context) {
  std::vector<std::string> names;
  for (const auto& row : ops::list_containers(context, {true, {}})) {
    if (!row.preinstalled) {
      names.push_back(row.name);
    }
  }
  return names;
}

bool agreed(const std::vector<std::string>& names) {
  if (::isatty(STDIN_FILENO) == 0) {
    throw base::Error(
        base::ErrorKind::usage,
        fmt::format("nobody can be asked whether to delete {}: standard input is no terminal", fmt::join(names, ", ")),
        "say it with --force");
  }
  emit_error("Delete {}? [y/N] ", fmt::join(names, ", "));
  std::fflush(stderr);
  std::string answer;
  std::getline(std::cin, answer);
  return answer == "y" || answer == "Y" || answer == "yes";
}

int run_delete(const CommandLine& line, ops::Context& context) {
  if (line.every == !line.names.empty()) {
    throw base::Error(base::ErrorKind::usage,
                      line.every ? "names and --all cannot be given together" : "no container is named",
                      "give the names of containers, or --all for every one that is installed");
  }
  const auto names = line.every ? removable(context) : line.names;
  if (!names.empty() && !line.force && !agreed(names)) {
    context.reporter.step("nothing was deleted");
    return 0;
  }
  return uninstall_all(line, context, names);
}

}  // namespace

void add_uninstall(CLI::App& app, CommandLine& line) {
  auto* verb = add_verb(app, line, "uninstall", "Stop and remove containers", true,
                        [&line](ops::Context& context) { return uninstall_all(line, context, line.names); });
  verb->add_option("NAME", line.names, "Containers to remove")->required();
  verb->add_flag("--preinstall", line.preinstall, "Take it out of the operating system in --root again");
}

void add_containers_delete(CLI::App& group, CommandLine& line) {
  auto* verb = add_verb(group, line, "delete", "Stop and remove containers, after asking", true,
                        [&line](ops::Context& context) { return run_delete(line, context); });
  verb->add_option("NAME", line.names, "Containers to remove");
  verb->add_flag("-a,--all", line.every, "Every container that is installed");
  verb->add_flag("-f,--force,-y,--yes", line.force, "Do not ask");
}

}  // namespace berth::cli
