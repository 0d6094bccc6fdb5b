// berth df.

#include "cli/terminal/exit_code.hpp"
#include "cli/terminal/output.hpp"
#include "cli/terminal/table.hpp"
#include "cli/terminal/terminal.hpp"
#include "cli/verbs/command_line.hpp"
#include "ops/images/usage.hpp"

namespace berth::cli {

namespace {

base::Json to_json(const ops::DiskUsage& usage) {
  auto rows = base::Json::array();
  for (const auto& row : usage.rows) {
    rows.push_back({{"kind", row.kind},
                    {"name", row.name},
                    {"bytes", row.shared + row.own},
                    {"shared", row.shared},
                    {"own", row.own},
                    {"reclaimable", row.reclaimable}});
  }
  return {{"usage", std::move(rows)}, {"total", usage.total}, {"reclaimable", usage.reclaimable}};
}

int run_df(const CommandLine& line, ops::Context& context) {
  const auto usage = ops::disk_usage(context);
  if (line.json) {
    emit_json(to_json(usage));
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

}  // namespace

void add_df(CLI::App& app, CommandLine& line) {
  auto* verb = add_verb(app, line, "df", "Show how much of the disk images and containers take", false,
                        [&line](ops::Context& context) { return run_df(line, context); });
  verb->add_flag("--json", line.json, "Print JSON");
}

}  // namespace berth::cli
