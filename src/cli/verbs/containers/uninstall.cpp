// SPDX-License-Identifier: LGPL-2.1-or-later
#include "cli/verbs/containers/uninstall.hpp"

#include <fmt/format.h>

#include "base/json.hpp"
#include "cli/terminal/exit_code.hpp"
#include "cli/terminal/output.hpp"
#include "ops/containers/uninstall.hpp"
#include "ops/result_json.hpp"

namespace berth::cli {

namespace {

struct UninstallOptions {
  std::vector<std::string> names;
  bool json = false;
};

void report(const ops::UninstallOutcome& outcome, ops::Context& context) {
  auto& reporter = context.reporter;
  const auto& name = outcome.container;
  for (const auto& path : outcome.kept_files) {
    reporter.warning(fmt::format("{} was edited and is kept", path));
  }
  for (const auto& path : outcome.saved_texts) {
    reporter.warning(fmt::format("the edited version is kept as {}", path));
  }
  for (const auto& unit : outcome.stopped_units) {
    reporter.warning(fmt::format("{} was stopped with {}, which it requires", unit, name));
  }
  for (const auto& message : outcome.remarks) {
    reporter.step(message);
  }
  reporter.step(fmt::format("uninstalled {}", name));
  if (outcome.shows_preinstalled) {
    reporter.step(fmt::format("{0} of the operating system is visible again; start it with: berth start {0}", name));
  }
}

int uninstall_as_json(const CommandLine& line, ops::Context& context, const std::vector<std::string>& names) {
  std::vector<ops::UninstallOutcome> outcomes;
  int code = exit_ok;
  try {
    code =
        for_each_name(line, names, [&](const std::string& name) { outcomes.push_back(ops::uninstall(context, name)); });
  } catch (...) {
    emit_json(ops::array_of(outcomes));  // the containers that were removed before an interruption
    throw;
  }
  emit_json(ops::array_of(outcomes));
  return code;
}

int run(const UninstallOptions& options, const CommandLine& line, ops::Context& context) {
  return options.json ? uninstall_as_json(line, context, options.names) : uninstall_all(line, context, options.names);
}

void declare(const Subcommand& verb, UninstallOptions& options, CommandLine& line) {
  verb.add_option("NAME", options.names, "Containers to remove").required();
  verb.add_flag("--preinstall", line.preinstall, "Remove them from the operating system in --root");
  verb.add_flag("--json", options.json, "Print the result as JSON");
}

}  // namespace

int uninstall_all(const CommandLine& line, ops::Context& context, const std::vector<std::string>& names) {
  return for_each_name(line, names, [&](const std::string& name) { report(ops::uninstall(context, name), context); });
}

Verb uninstall_verb() {
  return make_verb<UninstallOptions>(
      {.name = "uninstall", .order = 50, .summary = "Stop and remove containers", .needs_root = true}, declare, run);
}

}  // namespace berth::cli
