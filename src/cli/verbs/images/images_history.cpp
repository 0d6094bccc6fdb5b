// SPDX-License-Identifier: LGPL-2.1-or-later
// berth images history.
#include "base/json.hpp"
#include "cli/options/command_line.hpp"
#include "cli/terminal/exit_code.hpp"
#include "cli/terminal/output.hpp"
#include "cli/terminal/table.hpp"
#include "cli/terminal/terminal.hpp"
#include "ops/images/history.hpp"

namespace berth::cli {

namespace {

struct HistoryOptions {
  std::string image;
  bool no_truncation = false;
  bool json = false;
};

int run(const HistoryOptions& options, const CommandLine& /*line*/, ops::Context& context) {
  const auto entries = ops::image_history(context, options.image);
  if (options.json) {
    emit_json(ops::to_json(entries));
    return exit_ok;
  }
  std::vector<std::vector<std::string>> rows;
  rows.reserve(entries.size());
  for (const auto& entry : entries) {
    rows.push_back({entry.layer.empty() ? "<none>" : entry.layer.substr(0, id_digits), entry.created, entry.created_by,
                    human_size(static_cast<std::uint64_t>(entry.size)), entry.comment});
  }
  print_table({{"LAYER"}, {"CREATED", 20}, {"CREATED BY", 60}, {"SIZE"}, {"COMMENT", 30}}, rows, true,
              !options.no_truncation);
  return exit_ok;
}

void declare(const Subcommand& verb, HistoryOptions& options, CommandLine& /*line*/) {
  verb.add_option("IMAGE|NAME", options.image, "An image, or a container").required();
  verb.add_flag("--no-trunc", options.no_truncation, "Do not truncate columns");
  verb.add_flag("--json", options.json, "Print JSON");
}

}  // namespace

Verb images_history_verb() {
  return make_verb<HistoryOptions>(
      {.name = "images history", .order = 30, .summary = "Show how an image was built, newest step first"}, declare,
      run);
}

}  // namespace berth::cli
