// SPDX-License-Identifier: LGPL-2.1-or-later
// berth adopt.
#include "ops/containers/adopt.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cstdlib>

#include "base/json.hpp"
#include "cli/options/command_line.hpp"
#include "cli/terminal/exit_code.hpp"
#include "cli/terminal/output.hpp"
#include "host/config/atomic_conf.hpp"

namespace berth::cli {

namespace {

struct AdoptOptions {
  std::vector<std::string> names;
  std::string from;
  std::string repository;
  bool undo = false;
  bool dry_run = false;
  bool json = false;
};

void print_repository(const ops::AdoptOutcome& outcome, bool undo) {
  switch (outcome.repository) {
    case ops::RepositoryFate::none:
      emit("there is no repository\n");
      return;
    case ops::RepositoryFate::shared:
      emit("the repository {} is already used by berth\n", outcome.repository_path);
      return;
    case ops::RepositoryFate::moved:
      emit("the repository {} moves{}\n", outcome.repository_path, undo ? " back" : "");
      break;
    case ops::RepositoryFate::copied:
      emit("the repository {} stays; missing objects are linked into that of berth\n", outcome.repository_path);
      break;
    case ops::RepositoryFate::stays:
      emit("the repository stays with berth\n");
      break;
  }
  for (const auto& name : outcome.images) {
    emit("  image  {}\n", name);
  }
}

void print_plan(const ops::AdoptOutcome& outcome, bool undo) {
  emit("from  {}\nto    {}\n\n", undo ? outcome.to : outcome.from, undo ? outcome.from : outcome.to);
  for (const auto& container : outcome.containers) {
    emit("{}  {}  {}, moves and leaves a link behind{}\n", container.name, container.image,
         fmt::join(container.directories, " "), container.running ? "; its service keeps running" : "");
    for (const auto& directory : container.dropped) {
      emit("  removes {}, which berth made\n", directory);
    }
  }
  print_repository(outcome, undo);
}

std::string environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

/// The first that is not empty.
std::string first_of(std::initializer_list<std::string> texts) {
  for (const auto& text : texts) {
    if (!text.empty()) {
      return text;
    }
  }
  return {};
}

/// What the options leave open comes from the environment and the configuration of atomic, in this order.
ops::AdoptRequest request_of(const AdoptOptions& options, const ops::Context& context) {
  const auto atomic = host::read_atomic_settings(context.layout.root(), environment);
  ops::AdoptRequest request;
  request.from = first_of({options.from, atomic.deployments, host::atomic_deployments});
  request.repository = first_of({options.repository, atomic.repository});
  request.names = options.names;
  request.only_plan = options.dry_run;
  return request;
}

int run(const AdoptOptions& options, const CommandLine& /*line*/, ops::Context& context) {
  const auto request = request_of(options, context);
  const auto outcome = options.undo ? ops::undo_adoption(context, request) : ops::adopt(context, request);
  if (options.json) {
    emit_json(ops::to_json(outcome));
  } else if (!outcome.done) {
    print_plan(outcome, options.undo);
  } else {
    context.reporter.step(fmt::format("{} {} containers and {} images", options.undo ? "gave back" : "took over",
                                      outcome.containers.size(), outcome.images.size()));
  }
  return exit_ok;
}

void declare(const Subcommand& verb, AdoptOptions& options, CommandLine& /*line*/) {
  verb.add_option("NAME", options.names, "Containers; default: all");
  verb.add_option("--from", options.from, "Directory of atomic's containers").type_name("DIR");
  verb.add_option("--repository", options.repository, "atomic's repository, if it is not at atomic's default path")
      .type_name("DIR");
  verb.add_flag("--undo", options.undo, "Return adopted containers to atomic");
  verb.add_flag("--dry-run", options.dry_run, "Only show what would be done");
  verb.add_flag("--json", options.json, "Print the plan or the result as JSON");
}

}  // namespace

Verb adopt_verb() {
  return make_verb<AdoptOptions>(
      {.name = "adopt", .order = 210, .summary = "Take over the containers and images of atomic", .needs_root = true},
      declare, run);
}

}  // namespace berth::cli
