// berth containers list, berth images list.

#include "cli/terminal/output.hpp"
#include "cli/terminal/table.hpp"
#include "cli/terminal/terminal.hpp"
#include "cli/terminal/time_spec.hpp"
#include "cli/verbs/command_line.hpp"
#include "ops/containers/query.hpp"

namespace berth::cli {

namespace {

std::string short_time(std::int64_t epoch_seconds) {
  return epoch_seconds == 0 ? "" : local_minute(epoch_seconds);
}

std::vector<ops::Filter> filters_of(const ListOptions& options, const std::vector<std::string>& keys) {
  std::vector<ops::Filter> filters;
  for (const auto& text : options.filters) {
    filters.push_back(ops::parse_filter(text, keys));
  }
  return filters;
}

base::Json to_json(const ops::ContainerRow& row) {
  return {{"container", row.name},
          {"image", row.image},
          {"imageId", row.image_id},
          {"command", row.command},
          {"created", ops::rfc3339(row.created)},
          {"state", row.state},
          {"backend", ops::backend_of(row)},
          {"runtime", row.runtime},
          {"preinstalled", row.preinstalled}};
}

base::Json to_json(const ops::ImageRow& row) {
  base::Json json = {
      {"repository", nullptr}, {"tag", nullptr},   {"id", row.id},     {"created", ops::rfc3339(row.created)},
      {"size", row.size},      {"type", row.type}, {"used", row.used}, {"dangling", row.dangling}};
  if (!row.repository.empty()) {
    json["repository"] = row.repository;
    json["tag"] = row.tag;
  }
  return json;
}

template <typename Row>
void print_json(const char* key, const std::vector<Row>& rows) {
  base::Json list = base::Json::array();
  for (const auto& row : rows) {
    list.push_back(to_json(row));
  }
  emit_json(base::Json{{key, std::move(list)}});
}

int run_containers_list(const ListOptions& options, ops::Context& context) {
  const auto rows = ops::list_containers(context, {options.all, filters_of(options, ops::container_filter_keys)});
  if (options.json) {
    print_json("containers", rows);
  } else if (options.quiet) {
    for (const auto& row : rows) {
      emit("{}\n", row.name);
    }
  } else {
    std::vector<std::vector<std::string>> lines;
    lines.reserve(rows.size());
    for (const auto& row : rows) {
      lines.push_back(
          {row.name, row.image, row.command, short_time(row.created), row.state, ops::backend_of(row), row.runtime});
    }
    print_table(
        {{"CONTAINER", 24}, {"IMAGE", 36}, {"COMMAND", 24}, {"CREATED"}, {"STATE"}, {"BACKEND"}, {"RUNTIME", 20}},
        lines, !options.no_heading, !options.no_truncation);
  }
  return 0;
}

int run_images_list(const ListOptions& options, ops::Context& context) {
  const auto rows = ops::list_images(context, {options.all, filters_of(options, ops::image_filter_keys)});
  if (options.json) {
    print_json("images", rows);
    return 0;
  }
  std::vector<std::vector<std::string>> lines;
  for (const auto& row : rows) {
    const auto id = options.no_truncation ? row.id : row.id.substr(0, id_digits);
    if (options.quiet) {
      emit("{}\n", id);
      continue;
    }
    const bool layer = row.repository.empty();
    lines.push_back({row.used       ? ">"
                     : row.dangling ? "*"
                                    : " ",
                     layer ? "<none>" : row.repository, layer ? "<none>" : row.tag, id, short_time(row.created),
                     row.size == 0 ? "" : human_size(static_cast<std::uint64_t>(row.size)), row.type});
  }
  if (!options.quiet) {
    print_table({{""}, {"REPOSITORY", 48}, {"TAG", 24}, {"IMAGE ID"}, {"CREATED"}, {"SIZE"}, {"TYPE"}}, lines,
                !options.no_heading, !options.no_truncation);
  }
  return 0;
}

void add_list_options(CLI::App& verb, ListOptions& options, const std::string& all, const std::string& quiet,
                      const std::string& keys) {
  verb.add_flag("-a,--all", options.all, all);
  verb.add_flag("-q,--quiet", options.quiet, quiet);
  verb.add_flag("-n,--noheading", options.no_heading, "Leave out the heading");
  verb.add_flag("--no-trunc", options.no_truncation, "Show everything in full length");
  verb.add_flag("--json", options.json, "Print JSON");
  verb.add_option("-f,--filter", options.filters, "Only those whose field contains the value; keys: " + keys)
      ->type_name("KEY=VALUE")
      ->allow_extra_args(false);
}

}  // namespace

void add_containers(CLI::App& app, CommandLine& line) {
  auto* group = app.add_subcommand("containers", "What is installed");
  group->fallthrough();
  group->require_subcommand(1);
  auto* list = add_verb(*group, line, "list", "List containers; only running ones without --all", false,
                        [&line](ops::Context& context) { return run_containers_list(line.list, context); });
  add_list_options(*list, line.list, "Also those that do not run", "Print names only",
                   "container image command created state backend runtime");
  add_containers_delete(*group, line);
}

void add_images_list(CLI::App& group, CommandLine& line) {
  auto* list = add_verb(group, line, "list", "List images; > marks those that a container uses", false,
                        [&line](ops::Context& context) { return run_images_list(line.list, context); });
  add_list_options(*list, line.list, "Also the layers that images are made of", "Print ids only",
                   "repo tag id type created");
}

}  // namespace berth::cli
