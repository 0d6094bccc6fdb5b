// SPDX-License-Identifier: LGPL-2.1-or-later
// berth df.
#include "base/json.hpp"
#include "cli/options/command_line.hpp"
#include "cli/terminal/exit_code.hpp"
#include "cli/terminal/output.hpp"
#include "cli/terminal/table.hpp"
#include "cli/terminal/terminal.hpp"
#include "ops/images/usage.hpp"

namespace berth::cli {

namespace {

struct DfOptions {
  bool json = false;
};

int run(const DfOptions& options, const CommandLine& /*line*/, ops::Context& context) {
  const auto usage = ops::disk_usage(context);
  if (options.json) {
    emit_json(ops::to_json(usage));
    return exit_ok;
  }
  std::vector<std::vector<std::string>> rows;
  rows.reserve(usage.rows.size());
  for (const auto& row : usage.rows) {
    rows.push_back({row.kind, row.name, human_size(row.shared + row.own), human_size(row.shared), human_size(row.own),
                    human_size(row.reclaimable)});
  }
  print_table({{"KIND"}, {"NAME", 64}, {"SIZE"}, {"SHARED"}, {"OWN"}, {"RECLAIMABLE"}}, rows, true, true);
  emit("total {}, of which berth images prune would free {}\n", human_size(usage.total), human_size(usage.reclaimable));
  return exit_ok;
}

void declare(const Subcommand& verb, DfOptions& options, CommandLine& /*line*/) {
  verb.add_flag("--json", options.json, "Print JSON");
}

}  // namespace

Verb df_verb() {
  return make_verb<DfOptions>({.name = "df", .order = 160, .summary = "Show the disk usage of images and containers"},
                              declare, run);
}

}  // namespace berth::cli
