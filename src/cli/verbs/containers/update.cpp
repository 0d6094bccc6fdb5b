// SPDX-License-Identifier: LGPL-2.1-or-later
// berth update.
#include "ops/containers/update.hpp"

#include <fmt/format.h>

#include "base/error.hpp"
#include "base/json.hpp"
#include "cli/options/shared_options.hpp"
#include "cli/terminal/exit_code.hpp"
#include "cli/terminal/output.hpp"
#include "cli/terminal/table.hpp"
#include "cli/verbs/containers/update_check.hpp"

namespace berth::cli {

namespace {

struct UpdateOptions {
  std::string name;
  ops::ImageSelection image;
  ops::GateOptions gate;
  bool all = false;
  bool check = false;
  bool diff = false;
  bool json = false;
};

/// @throws Error(usage) for options that contradict each other
ops::UpdateRequest request_of(const UpdateOptions& options, const CommandLine& line) {
  const auto refuse = [](const char* message) {
    throw base::Error(base::ErrorKind::usage, message, "see berth update --help");
  };
  if (options.all && (!line.values.empty() || !options.image.rebase.empty())) {
    refuse("--all cannot be used with --set, --set-file or --rebase");
  }
  if (options.diff && !options.check) {
    refuse("--diff requires --check");
  }
  if (options.all == !options.name.empty()) {
    refuse(options.all ? "--all cannot be used with a name" : "the name of a container, or --all, is missing");
  }
  return {options.image, options.name, line.values, options.gate};
}

int update_one(const ops::UpdateRequest& request, bool json, ops::Context& context) {
  const auto outcome = ops::update(context, request);
  if (json) {
    emit_json(ops::to_json(ops::UpdateRow{request.name, outcome.changed ? "updated" : "unchanged", outcome, {}}));
  } else if (!outcome.changed) {
    emit("Latest version already installed.\n");
  } else {
    context.reporter.step(
        fmt::format("updated {} to {} {}", request.name, outcome.image, outcome.id_after.substr(0, id_digits)));
  }
  return exit_ok;
}

/// The reasons of failures, which do not fit into the table.
void print_failures(const std::vector<ops::UpdateRow>& rows, base::Reporter& reporter) {
  for (const auto& row : rows) {
    if (row.error) {
      reporter.warning(row.error->what());
    }
  }
}

void print_rows(const std::vector<ops::UpdateRow>& rows) {
  std::vector<std::vector<std::string>> lines;
  lines.reserve(rows.size());
  for (const auto& row : rows) {
    lines.push_back({row.container, row.outcome.id_before.substr(0, id_digits),
                     row.outcome.id_after.substr(0, id_digits), row.outcome.id_latest.substr(0, id_digits),
                     row.status});
  }
  print_table({{"CONTAINER", 40}, {"BEFORE"}, {"AFTER"}, {"LATEST"}, {"STATUS"}}, lines, true, true);
}

/// That of a service that was rolled back, or else of the first failure.
int exit_code_of(const std::vector<ops::UpdateRow>& rows) {
  int code = exit_ok;
  for (const auto& row : rows) {
    if (row.error && row.error->kind() == base::ErrorKind::start_failed) {
      return exit_code(base::ErrorKind::start_failed);
    }
    if (row.error && code == exit_ok) {
      code = exit_code(row.error->kind());
    }
  }
  return code;
}

int update_all(const ops::UpdateRequest& request, bool json, ops::Context& context) {
  const auto rows = ops::update_all(context, request);
  if (json) {
    emit_json(ops::to_json(rows));
  } else {
    print_failures(rows, context.reporter);
    print_rows(rows);
  }
  return exit_code_of(rows);
}

int run(const UpdateOptions& options, const CommandLine& line, ops::Context& context) {
  const auto request = request_of(options, line);
  if (options.check) {
    return print_update_checks(request, options.diff, options.json, context);
  }
  return options.all ? update_all(request, options.json, context) : update_one(request, options.json, context);
}

void declare(const Subcommand& verb, UpdateOptions& options, CommandLine& line) {
  verb.add_option("NAME", options.name, "Container");
  verb.add_flag("--all", options.all, "Every installed container, one after the other");
  add_set(verb, line.set, "Change a template variable; the others keep their values");
  verb.add_option("--rebase", options.image.rebase, "Move to another image").type_name("[SOURCE:]IMAGE");
  verb.add_flag("--check", options.check, "Only show what an update would change");
  verb.add_flag("--diff", options.diff, "With --check: show how the deployment would differ; fetches the image");
  verb.add_flag_callback(
      "--no-pull", [&options] { options.image.pull = false; }, "Deploy the stored image");
  add_gate_options(verb, options.gate);
  verb.add_flag("--json", options.json, "Print the result as JSON");
  add_authfile(verb, options.image.authfile);
  add_platform(verb, options.image.platform);
}

}  // namespace

Verb update_verb() {
  return make_verb<UpdateOptions>({.name = "update",
                                   .order = 30,
                                   .summary = "Update containers to the current versions of their images",
                                   .needs_root = true},
                                  declare, run);
}

}  // namespace berth::cli
