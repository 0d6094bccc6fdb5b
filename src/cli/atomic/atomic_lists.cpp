// SPDX-License-Identifier: LGPL-2.1-or-later
// The lists of `berth atomic`, in the columns and JSON of atomic.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <cctype>

#include "base/error.hpp"
#include "base/json.hpp"
#include "base/shown_text.hpp"
#include "cli/atomic/atomic.hpp"
#include "cli/terminal/exit_code.hpp"
#include "cli/terminal/output.hpp"
#include "cli/terminal/table.hpp"
#include "host/config/atomic_conf.hpp"
#include "host/state/deployment.hpp"
#include "ops/containers/atomic_lists.hpp"
#include "ops/timestamp.hpp"

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

/// `text` cut or padded to `width` columns. @param width 0: as wide as the text
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

/// The VARIABLE=VALUE filters. @throws Error with the message of atomic
std::vector<ops::Filter> checked_filters(const ListOptions& options, const std::vector<std::string>& keys) {
  std::vector<ops::Filter> filters;
  for (const auto& text : options.filters) {
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
  return key == "created" ? ops::local_minute(row.created) : ops::filter_field(row, key);
}

/// In ten columns only the name of the program is useful, not its directory.
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
    print_line({row.name, row.image, row.name, row.command, ops::local_minute(row.created), row.state,
                ops::backend_of(row), shown_runtime(row.runtime, truncate)});
  }
}

/// Warns of containers of atomic, which are not listed before they are adopted.
void warn_of_atomic_containers(ops::Context& context) {
  host::LayoutSettings settings;
  settings.root = context.layout.root();
  settings.deployments = host::atomic_deployments;
  auto waiting = host::list_deployments(host::Layout(std::move(settings))).deployments;
  std::erase_if(waiting, [](const host::Deployment& deployment) { return deployment.preinstalled; });
  if (!waiting.empty() && context.layout.deployments_in_root() != host::atomic_deployments) {
    context.reporter.warning(
        fmt::format("{} containers of atomic in {} are not listed; take them over with berth adopt", waiting.size(),
                    host::atomic_deployments));
  }
}

int list_containers(const AtomicOptions& options, const CommandLine& /*line*/, ops::Context& context) {
  const auto& list = options.list;
  warn_of_atomic_containers(context);
  const auto filters = checked_filters(list, ops::container_filter_keys);
  auto rows = ops::list_containers(context, {true, {}});
  keep_matching(rows, filters, container_field);
  if (!list.all) {
    std::erase_if(rows, [](const ops::ContainerRow& row) { return row.state == "inactive"; });
  }
  if (list.quiet) {
    for (const auto& row : rows) {
      emit("{}\n", list.no_truncation ? row.name : row.name.substr(0, id_digits));
    }
  } else if (list.json) {
    emit_json(ops::to_atomic_json(rows), 4);
  } else if (!rows.empty()) {
    print_containers(rows, list);
  }
  return exit_ok;
}

// -- images ---------------------------------------------------------------------------------------------------------

const std::vector<std::string> image_keys = {"repo",    "repository", "tag",  "id",         "image",
                                             "created", "size",       "type", "is_dangling"};

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
    return ops::local_minute(row.created);
  }
  if (key == "is_dangling") {
    return row.dangling ? "True" : "False";
  }
  return key == "type" ? backend : ops::atomic_size(row.size);
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
                ops::local_minute(row.created), ops::atomic_size(row.size), backend});
  }
}

int list_images(const AtomicOptions& options, const CommandLine& /*line*/, ops::Context& context) {
  const auto& list = options.list;
  const auto filters = checked_filters(list, image_keys);
  auto rows = ops::list_images(context, {list.all, {}});
  keep_matching(rows, filters, image_field);
  if (list.json) {
    emit_json(ops::to_atomic_json(rows), 4);
  } else if (list.quiet) {
    for (const auto& row : rows) {
      emit("{}\n", list.no_truncation ? row.id : row.id.substr(0, id_digits));
    }
  } else if (!rows.empty()) {
    print_images(rows, list);
  }
  return exit_ok;
}

ListHelp help(const std::string& all, const std::string& quiet) {
  return {all, quiet, "Only those whose field contains the value"};
}

}  // namespace

void add_atomic_lists(const Subcommand& atomic, const Subcommand& containers, const Subcommand& images,
                      const AtomicParser& parser) {
  auto& list = parser.options->list;
  for (auto verb : {add_atomic_verb(containers, parser, {.name = "list", .order = 0, .summary = "List containers"},
                                    list_containers),
                    add_atomic_verb(atomic, parser, {.name = "ps", .order = 0, .summary = "Same as containers list"},
                                    list_containers)}) {
    add_list_options(verb, list, help("Include stopped containers", "Print only names"));
  }
  auto verb = add_atomic_verb(
      images, parser, {.name = "list", .order = 0, .summary = "List images; > marks those that a container uses"},
      list_images);
  add_list_options(verb, list, help("Include the layers of images", "Print only ids"));
}

}  // namespace berth::cli
