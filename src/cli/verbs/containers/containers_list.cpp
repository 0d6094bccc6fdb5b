// SPDX-License-Identifier: LGPL-2.1-or-later
// berth containers list.
#include "base/json.hpp"
#include "cli/options/shared_options.hpp"
#include "cli/terminal/exit_code.hpp"
#include "cli/terminal/output.hpp"
#include "cli/terminal/table.hpp"
#include "ops/containers/list.hpp"
#include "ops/timestamp.hpp"

namespace berth::cli {

namespace {

void print(const std::vector<ops::ContainerRow>& rows, const ListOptions& options) {
  std::vector<std::vector<std::string>> lines;
  lines.reserve(rows.size());
  for (const auto& row : rows) {
    lines.push_back({row.name, row.image, row.command, row.created == 0 ? "" : ops::local_minute(row.created),
                     row.state, ops::backend_of(row), row.runtime});
  }
  print_table({{"CONTAINER", 24}, {"IMAGE", 36}, {"COMMAND", 24}, {"CREATED"}, {"STATE"}, {"BACKEND"}, {"RUNTIME", 20}},
              lines, !options.no_heading, !options.no_truncation);
}

int run(const ListOptions& options, const CommandLine& /*line*/, ops::Context& context) {
  const auto rows = ops::list_containers(context, {options.all, filters_of(options, ops::container_filter_keys)});
  if (options.json) {
    emit_json(ops::to_json(rows));
  } else if (options.quiet) {
    for (const auto& row : rows) {
      emit("{}\n", row.name);
    }
  } else {
    print(rows, options);
  }
  return exit_ok;
}

void declare(const Subcommand& verb, ListOptions& options, CommandLine& /*line*/) {
  add_list_options(verb, options,
                   {"Include stopped containers", "Print only names",
                    "Only containers whose field contains the value; keys: container image command created state "
                    "backend runtime"});
}

}  // namespace

Verb containers_list_verb() {
  return make_verb<ListOptions>(
      {.name = "containers list", .order = 10, .summary = "List containers; without --all only running ones"}, declare,
      run);
}

}  // namespace berth::cli
