// The lists of `berth atomic`, in the older tool's columns and JSON.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <cctype>

#include "base/error.hpp"
#include "base/shown_text.hpp"
#include "cli/atomic/atomic.hpp"
#include "cli/terminal/exit_code.hpp"
#include "cli/terminal/output.hpp"
#include "cli/terminal/table.hpp"
#include "cli/terminal/time_spec.hpp"
#include "host/config/atomic_conf.hpp"
#include "host/state/deployment.hpp"
#include "ops/containers/query.hpp"

namespace berth::cli {

namespace {

using base::Error;
using base::ErrorKind;

constexpr const char* backend = "ostree";

std::string lower(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return text;
}

/// The first `width` columns, and blanks up to `width`. @param width 0: all there is
std::string cell(const std::string& text, std::size_t width, std::size_t shown = std::string::npos) {
  const auto part = base::shown_line(text.substr(0, std::min(shown, width == 0 ? text.size() : width)));
  return fmt::format("{:{}}", part, width);
}

template <typename Row, typename Field>
std::size_t widest(const std::vector<Row>& rows, std::size_t least, Field field) {
  for (const auto& row : rows) {
    least = std::max(least, field(row).size());
  }
  return least;
}

/// Checks VARIABLE=VALUE filters. @throws Error in the older tool's words
std::vector<ops::Filter> filters_of(const CommandLine& line, const std::vector<std::string>& keys) {
  std::vector<ops::Filter> filters;
  for (const auto& text : line.list.filters) {
    const auto equals = text.find('=');
    const auto key = lower(text.substr(0, equals));
    if (equals == std::string::npos) {
      throw Error(ErrorKind::failed,
                  fmt::format("The filter {} is not formatted correctly.  It should be VAR=VALUE", text));
    }
    if (std::find(keys.begin(), keys.end(), key) == keys.end()) {
      throw Error(ErrorKind::failed,
                  fmt::format("The filter {} is not valid.  Please choose from ['{}']", key, fmt::join(keys, "', '")));
    }
    filters.push_back({key, lower(text.substr(equals + 1))});
  }
  return filters;
}

template <typename Row>
void keep_matching(std::vector<Row>& rows, const std::vector<ops::Filter>& filters,
                   std::string (*field)(const Row&, const std::string&)) {
  std::erase_if(rows, [&](const Row& row) {
    return std::any_of(filters.begin(), filters.end(), [&](const ops::Filter& filter) {
      return lower(field(row, filter.key)).find(filter.value) == std::string::npos;
    });
  });
}

// -- containers -----------------------------------------------------------------------------------------------------

std::string container_field(const ops::ContainerRow& row, const std::string& key) {
  return key == "created" ? local_minute(row.created) : ops::filter_field(row, key);
}

base::Json to_json(const ops::ContainerRow& row) {
  return {{"id", row.name},
          {"image_id", row.image_id},
          {"image_name", row.image},
          {"name", row.name},
          {"command", row.command},
          {"created", local_minute(row.created)},
          {"state", row.state},
          {"backend", ops::backend_of(row)},
          {"runtime", row.runtime},
          {"vulnerable", false},
          {"running", row.state != "inactive"}};
}

/// Ten columns show the program and not the directories that it is in.
std::string shown_runtime(const std::string& path, bool truncate) {
  return truncate ? path.substr(path.rfind('/') + 1) : path;
}

void print_containers(const std::vector<ops::ContainerRow>& rows, const ListOptions& options) {
  const bool truncate = !options.no_truncation;
  const auto width = [&](std::size_t narrow, const std::string& key) {
    return truncate ? narrow : widest(rows, narrow, [&key](const auto& row) { return container_field(row, key); });
  };
  const auto id = width(id_digits, "container");
  const auto image = width(20, "image");
  const auto name = width(10, "container");
  const auto command = width(10, "command");
  const auto print_line = [&](const std::array<std::string, 8>& cells) {
    emit("   {} {} {} {} {:16} {:10} {:10} {:10}\n", cell(cells[0], id), cell(cells[1], image), cell(cells[2], name),
         cell(cells[3], command), cells[4], cells[5], cells[6], cells[7]);
  };
  if (!options.no_heading) {
    print_line({"CONTAINER ID", "IMAGE", "NAME", "COMMAND", "CREATED", "STATE", "BACKEND", "RUNTIME"});
  }
  for (const auto& row : rows) {
    print_line({row.name, row.image, row.name, row.command, local_minute(row.created), row.state, ops::backend_of(row),
                shown_runtime(row.runtime, truncate)});
  }
}

/// What the older tool installed is not in our lists before it is adopted.
void tell_of_waiting(ops::Context& context) {
  host::LayoutSettings settings;
  settings.root = context.layout.root();
  settings.deployments = host::older_deployments;
  auto waiting = host::list_deployments(host::Layout(std::move(settings))).deployments;
  std::erase_if(waiting, [](const host::Deployment& deployment) { return deployment.preinstalled; });
  if (!waiting.empty() && context.layout.deployments_in_root() != host::older_deployments) {
    context.reporter.warning(fmt::format("{} containers in {} are not berth's yet; berth adopt takes them over",
                                         waiting.size(), host::older_deployments));
  }
}

int list_containers(const CommandLine& line, ops::Context& context) {
  tell_of_waiting(context);
  const auto filters = filters_of(line, ops::container_filter_keys);
  auto rows = ops::list_containers(context, {true, {}});
  keep_matching(rows, filters, container_field);
  if (!line.list.all) {
    std::erase_if(rows, [](const ops::ContainerRow& row) { return row.state == "inactive"; });
  }
  if (line.list.quiet) {
    for (const auto& row : rows) {
      emit("{}\n", line.list.no_truncation ? row.name : row.name.substr(0, id_digits));
    }
  } else if (line.list.json) {
    auto list = base::Json::array();
    for (const auto& row : rows) {
      list.push_back(to_json(row));
    }
    emit_json(list, 4);
  } else if (!rows.empty()) {
    print_containers(rows, line.list);
  }
  return exit_ok;
}

// -- images ---------------------------------------------------------------------------------------------------------

const std::vector<std::string> image_keys = {"repo",    "repository", "tag",  "id",         "image",
                                             "created", "size",       "type", "is_dangling"};

/// "4.27 MB": no space is too narrow for a script that takes the unit off.
std::string size_text(std::int64_t bytes) {
  constexpr std::array<const char*, 6> units = {"B", "KB", "MB", "GB", "TB", "PB"};
  if (bytes <= 0) {
    return {};
  }
  auto value = static_cast<double>(bytes);
  std::size_t unit = 0;
  while (value >= 1000 && unit + 1 < units.size()) {
    value /= 1000;
    ++unit;
  }
  return fmt::format("{:.2f} {}", value, units.at(unit));
}

std::string image_field(const ops::ImageRow& row, const std::string& key) {
  if (key == "repo" || key == "repository") {
    return row.repository;
  }
  if (key == "tag") {
    return row.tag;
  }
  if (key == "id" || key == "image") {
    return row.id;
  }
  if (key == "created") {
    return local_minute(row.created);
  }
  if (key == "is_dangling") {
    return row.dangling ? "True" : "False";
  }
  return key == "type" ? backend : size_text(row.size);
}

base::Json to_json(const ops::ImageRow& row) {
  return {{"repo", row.repository},
          {"tag", row.tag},
          {"is_dangling", row.dangling},
          {"used", row.used},
          {"vulnerable", false},
          {"id", row.id},
          {"type", "image"},
          {"created", local_minute(row.created)},
          {"virtual_size", size_text(row.size)},
          {"backend", backend},
          {"vuln_info", base::Json::object()}};
}

void print_images(const std::vector<ops::ImageRow>& rows, const ListOptions& options) {
  const auto repository = widest(rows, 10, [](const auto& row) { return row.repository; }) + 2;
  const auto tag = widest(rows, 6, [](const auto& row) { return row.tag; }) + 2;
  const std::size_t id = options.no_truncation ? 65 : 14;
  const auto print_line = [&](const std::array<std::string, 7>& cells) {
    emit("{:2} {} {} {} {:18} {:14} {:10}\n", cells[0], cell(cells[1], repository), cell(cells[2], tag),
         cell(cells[3], id, options.no_truncation ? id : id_digits), cells[4], cells[5], cells[6]);
  };
  if (!options.no_heading) {
    emit("{:2} {:{}} {:{}} {:{}} {:18} {:14} {:10}\n", "", "REPOSITORY", repository, "TAG", tag, "IMAGE ID", id,
         "CREATED", "VIRTUAL SIZE", "TYPE");
  }
  for (const auto& row : rows) {
    const bool layer = row.repository.empty();
    print_line({row.used ? ">" : "", layer ? "<none>" : row.repository, layer ? "<none>" : row.tag, row.id,
                local_minute(row.created), size_text(row.size), backend});
  }
}

int list_images(const CommandLine& line, ops::Context& context) {
  const auto filters = filters_of(line, image_keys);
  auto rows = ops::list_images(context, {line.list.all, {}});
  keep_matching(rows, filters, image_field);
  if (line.list.json) {
    auto list = base::Json::array();
    for (const auto& row : rows) {
      list.push_back(to_json(row));
    }
    emit_json(list, 4);
  } else if (line.list.quiet) {
    for (const auto& row : rows) {
      emit("{}\n", line.list.no_truncation ? row.id : row.id.substr(0, id_digits));
    }
  } else if (!rows.empty()) {
    print_images(rows, line.list);
  }
  return exit_ok;
}

void add_list_options(CLI::App& verb, ListOptions& options, const std::string& all, const std::string& quiet) {
  verb.add_flag("-a,--all", options.all, all);
  verb.add_flag("-q,--quiet", options.quiet, quiet);
  verb.add_flag("-n,--noheading", options.no_heading, "Leave out the heading");
  verb.add_flag("--no-trunc", options.no_truncation, "Show everything in full length");
  verb.add_flag("--json", options.json, "Print JSON");
  verb.add_option("-f,--filter", options.filters, "Only those whose field contains the value")
      ->type_name("KEY=VALUE")
      ->allow_extra_args(false);
}

}  // namespace

void add_atomic_lists(CLI::App& atomic, CLI::App& containers, CLI::App& images, CommandLine& line) {
  const auto containers_list = [&line](ops::Context& context) { return list_containers(line, context); };
  for (auto* verb : {add_atomic_verb(containers, line, "list", "List containers", false, containers_list),
                     add_atomic_verb(atomic, line, "ps", "The same as containers list", false, containers_list)}) {
    add_list_options(*verb, line.list, "Also those that do not run", "Print names only");
  }
  auto* list = add_atomic_verb(images, line, "list", "List images; > marks those that a container uses", false,
                               [&line](ops::Context& context) { return list_images(line, context); });
  add_list_options(*list, line.list, "Also the layers that images are made of", "Print ids only");
}

}  // namespace berth::cli
