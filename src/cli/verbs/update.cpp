// berth update, berth rollback.
#include "ops/containers/update.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/error.hpp"
#include "cli/terminal/exit_code.hpp"
#include "cli/terminal/output.hpp"
#include "cli/terminal/table.hpp"
#include "cli/verbs/command_line.hpp"
#include "ops/containers/rollback.hpp"

namespace berth::cli {

namespace {

base::Json to_json(const ops::UpdateRow& row) {
  const auto text = [](const std::string& id) { return id.empty() ? base::Json(nullptr) : base::Json(id); };
  base::Json json = {{"container", row.container},
                     {"image", text(row.outcome.image)},
                     {"idBefore", text(row.outcome.id_before)},
                     {"idAfter", text(row.outcome.id_after)},
                     {"idLatest", text(row.outcome.id_latest)},
                     {"status", row.status},
                     {"error", nullptr}};
  if (row.error) {
    json["error"] = {{"sentence", row.error->what()}, {"hint", row.error->hint()}};
  }
  return json;
}

int run_update_one(const CommandLine& line, ops::Context& context) {
  auto request = line.update;
  request.name = line.names.front();
  const auto outcome = ops::update(context, request);
  if (line.json) {
    emit_json(to_json({request.name, outcome.changed ? "updated" : "unchanged", outcome, {}}));
  } else if (!outcome.changed) {
    emit("Latest version already installed.\n");
  } else {
    context.reporter.step(
        fmt::format("updated {} to {} {}", request.name, outcome.image, outcome.id_after.substr(0, id_digits)));
  }
  return exit_ok;
}

/// What went wrong is told beside the table, which has no room for it.
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

/// A service that had to be rolled back counts most.
int worst_code(const std::vector<ops::UpdateRow>& rows) {
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

int run_update_all(const CommandLine& line, ops::Context& context) {
  const auto rows = ops::update_all(context, line.update);
  if (line.json) {
    auto list = base::Json::array();
    for (const auto& row : rows) {
      list.push_back(to_json(row));
    }
    emit_json(base::Json{{"containers", std::move(list)}});
  } else {
    print_failures(rows, context.reporter);
    print_rows(rows);
  }
  return worst_code(rows);
}

void check_update(const CommandLine& line) {
  const auto refuse = [](const char* message) {
    throw base::Error(base::ErrorKind::usage, message, "see berth update --help");
  };
  if (line.every && (!line.update.set.empty() || !line.update.rebase.empty())) {
    refuse("--all cannot be used with --set, --set-file or --rebase");
  }
  if (line.diff && !line.check) {
    refuse("--diff is only for --check");
  }
  if (line.every == !line.names.empty()) {
    refuse(line.every ? "--all cannot be used with a name" : "the name of a container, or --all, is missing");
  }
}

int run_update(const CommandLine& line, ops::Context& context) {
  check_update(line);
  if (line.check) {
    return print_update_checks(line, context);
  }
  return line.every ? run_update_all(line, context) : run_update_one(line, context);
}

int run_rollback(const CommandLine& line, ops::Context& context) {
  const auto outcome = ops::rollback(context, {line.names.front(), line.update.gate});
  if (line.json) {
    const base::Json json = {{"container", line.names.front()},
                             {"image", outcome.image},
                             {"idBefore", outcome.id_before},
                             {"idAfter", outcome.id_after}};
    emit_json(json);
  } else {
    context.reporter.step(fmt::format("rolled {} back to {} {}", line.names.front(), outcome.image,
                                      outcome.id_after.substr(0, id_digits)));
  }
  return exit_ok;
}

void add_gate_options(CLI::App& verb, ops::GateOptions& gate) {
  verb.add_option_function<double>(
          "--settle",
          [&gate](double seconds) {
            gate.settle = std::chrono::milliseconds(static_cast<std::int64_t>(seconds * 1000));
          },
          "How long the service must stay up to be taken for well")
      ->check(CLI::Range(0.0, 86400.0))
      ->type_name("SECONDS");
  verb.add_flag_callback(
      "--no-gate", [&gate] { gate.enabled = false; }, "Do not judge the started service");
}

}  // namespace

void add_update(CLI::App& app, CommandLine& line) {
  auto& request = line.update;
  auto* verb = add_verb(app, line, "update", "Move containers to what their images are now", true,
                        [&line](ops::Context& context) { return run_update(line, context); });
  verb->add_option("NAME", line.names, "Container")->expected(0, 1);
  verb->add_flag("--all", line.every, "Every installed container, one after the other");
  add_set(*verb, line, request.set, "Change a template variable; the others keep their values");
  verb->add_option("--rebase", request.rebase, "Move to another image")->type_name("[SOURCE:]IMAGE");
  verb->add_flag("--check", line.check, "Only say what an update would bring");
  verb->add_flag("--diff", line.diff, "With --check: show how the deployment would differ; fetches the image");
  verb->add_flag_callback(
      "--no-pull", [&request] { request.pull = false; }, "Deploy what is in the store");
  add_gate_options(*verb, request.gate);
  verb->add_flag("--json", line.json, "Print the result as JSON");
  add_authfile(*verb, request.authfile);
  add_platform(*verb, request.platform);
}

void add_rollback(CLI::App& app, CommandLine& line) {
  auto* verb = add_verb(app, line, "rollback", "Go back to the other deployment of a container", true,
                        [&line](ops::Context& context) { return run_rollback(line, context); });
  verb->add_option("NAME", line.names, "Container")->required()->expected(1);
  add_gate_options(*verb, line.update.gate);
  verb->add_flag("--json", line.json, "Print the result as JSON");
}

}  // namespace berth::cli
