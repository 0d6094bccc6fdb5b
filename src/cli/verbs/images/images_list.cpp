// SPDX-License-Identifier: LGPL-2.1-or-later
// berth images list.
#include "base/json.hpp"
#include "cli/options/shared_options.hpp"
#include "cli/terminal/exit_code.hpp"
#include "cli/terminal/output.hpp"
#include "cli/terminal/table.hpp"
#include "cli/terminal/terminal.hpp"
#include "ops/images/list.hpp"
#include "ops/timestamp.hpp"

namespace berth::cli {

namespace {

void print(const std::vector<ops::ImageRow>& rows, const ListOptions& options) {
  std::vector<std::vector<std::string>> lines;
  lines.reserve(rows.size());
  for (const auto& row : rows) {
    const bool layer = row.repository.empty();
    const char* mark = row.used ? ">" : row.dangling ? "*" : " ";
    lines.push_back({mark, layer ? "<none>" : row.repository, layer ? "<none>" : row.tag,
                     options.no_truncation ? row.id : row.id.substr(0, id_digits),
                     row.created == 0 ? "" : ops::local_minute(row.created),
                     row.size == 0 ? "" : human_size(static_cast<std::uint64_t>(row.size)), row.type});
  }
  print_table({{""}, {"REPOSITORY", 48}, {"TAG", 24}, {"IMAGE ID"}, {"CREATED"}, {"SIZE"}, {"TYPE"}}, lines,
              !options.no_heading, !options.no_truncation);
}

int run(const ListOptions& options, const CommandLine& /*line*/, ops::Context& context) {
  const auto rows = ops::list_images(context, {options.all, filters_of(options, ops::image_filter_keys)});
  if (options.json) {
    emit_json(ops::to_json(rows));
  } else if (options.quiet) {
    for (const auto& row : rows) {
      emit("{}\n", options.no_truncation ? row.id : row.id.substr(0, id_digits));
    }
  } else {
    print(rows, options);
  }
  return exit_ok;
}

void declare(const Subcommand& verb, ListOptions& options, CommandLine& /*line*/) {
  add_list_options(verb, options,
                   {"Include the layers of images", "Print only ids",
                    "Only images whose field contains the value; keys: repo tag id type created"});
}

}  // namespace

Verb images_list_verb() {
  return make_verb<ListOptions>(
      {.name = "images list", .order = 10, .summary = "List images; > marks those that a container uses"}, declare,
      run);
}

}  // namespace berth::cli
