#include "ops/containers/adopt.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cstdlib>

#include "cli/terminal/exit_code.hpp"
#include "cli/terminal/output.hpp"
#include "cli/verbs/command_line.hpp"
#include "host/config/atomic_conf.hpp"

namespace berth::cli {

namespace {

const char* word_of(ops::RepositoryFate fate) {
  switch (fate) {
    case ops::RepositoryFate::none:
      return "none";
    case ops::RepositoryFate::shared:
      return "shared";
    case ops::RepositoryFate::moved:
      return "moved";
    case ops::RepositoryFate::copied:
      return "copied";
    case ops::RepositoryFate::stays:
      break;
  }
  return "stays";
}

base::Json to_json(const ops::AdoptOutcome& outcome, bool done) {
  auto containers = base::Json::array();
  for (const auto& container : outcome.containers) {
    containers.push_back({{"container", container.name},
                          {"image", container.image},
                          {"imageId", container.image_id},
                          {"running", container.running},
                          {"directories", container.directories},
                          {"dropped", container.dropped}});
  }
  const auto& path = outcome.repository_path;
  return {{"from", outcome.from},
          {"to", outcome.to},
          {"containers", std::move(containers)},
          {"repository",
           {{"path", path.empty() ? base::Json(nullptr) : base::Json(path)}, {"fate", word_of(outcome.repository)}}},
          {"images", outcome.images},
          {"done", done}};
}

void print_repository(const ops::AdoptOutcome& outcome, bool undo) {
  switch (outcome.repository) {
    case ops::RepositoryFate::none:
      emit("there is no repository\n");
      return;
    case ops::RepositoryFate::shared:
      emit("the repository {} is berth's, too\n", outcome.repository_path);
      return;
    case ops::RepositoryFate::moved:
      emit("the repository {} moves{}\n", outcome.repository_path, undo ? " back" : "");
      break;
    case ops::RepositoryFate::copied:
      emit("the repository {} stays; what berth does not have comes over as hard links\n", outcome.repository_path);
      break;
    case ops::RepositoryFate::stays:
      emit("the repository stays berth's\n");
      break;
  }
  for (const auto& name : outcome.images) {
    emit("  image  {}\n", name);
  }
}

void print_plan(const ops::AdoptOutcome& outcome, bool undo) {
  emit("from  {}\nto    {}\n\n", undo ? outcome.to : outcome.from, undo ? outcome.from : outcome.to);
  for (const auto& container : outcome.containers) {
    emit("{}  {}  {}, moves with a link left in its place{}\n", container.name, container.image,
         fmt::join(container.directories, " "), container.running ? "; its service runs on" : "");
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

int run_adopt(const CommandLine& line, ops::Context& context, bool undo) {
  auto request = line.adopt;
  const auto older = host::read_atomic_settings(context.layout.root(), environment("ATOMIC_CONF"));
  request.from =
      first_of({request.from, environment("ATOMIC_OSTREE_CHECKOUT_PATH"), older.deployments, host::older_deployments});
  request.repository = first_of({request.repository, environment("ATOMIC_OSTREE_REPO"), older.repository});
  request.only_plan = line.dry_run;
  const auto outcome = undo ? ops::undo_adoption(context, request) : ops::adopt(context, request);
  if (line.json) {
    emit_json(to_json(outcome, !line.dry_run));
  } else if (line.dry_run) {
    print_plan(outcome, undo);
  } else {
    context.reporter.step(fmt::format("{} containers and {} images are {}", outcome.containers.size(),
                                      outcome.images.size(), undo ? "given back" : "berth's now"));
  }
  return exit_ok;
}

}  // namespace

void add_adopt(CLI::App& app, CommandLine& line) {
  auto* verb = add_verb(app, line, "adopt", "Take over what the older tool, atomic, installed and stored", true,
                        [&line](ops::Context& context) { return run_adopt(line, context, line.undo); });
  verb->add_option("NAME", line.adopt.names, "Containers; all of them without any");
  verb->add_option("--from", line.adopt.from, "Directory in which the older tool installed")->type_name("DIR");
  verb->add_option("--repository", line.adopt.repository, "Its repository, when it is not where that tool looks for it")
      ->type_name("DIR");
  verb->add_flag("--undo", line.undo, "Give back what was taken over");
  verb->add_flag("--dry-run", line.dry_run, "Only say what would be done");
  verb->add_flag("--json", line.json, "Print the plan or the result as JSON");
}

}  // namespace berth::cli
