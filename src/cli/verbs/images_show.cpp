// berth images info, history, version.

#include "base/shown_text.hpp"
#include "cli/terminal/exit_code.hpp"
#include "cli/terminal/output.hpp"
#include "cli/terminal/table.hpp"
#include "cli/terminal/terminal.hpp"
#include "cli/verbs/command_line.hpp"
#include "ops/containers/query.hpp"
#include "ops/images/image_query.hpp"

namespace berth::cli {

namespace {

void print_variables(const ops::ImageDescription& description) {
  if (!description.defaults.empty()) {
    emit("\nTemplate variables with default value, but overridable with --set:\n");
    for (const auto& [name, value] : description.defaults) {
      emit("{}: {}\n", name, base::shown_line(value));
    }
  }
  if (!description.required.empty()) {
    emit("\nTemplate variables that have no default value, and must be set with --set:\n");
    for (const auto& name : description.required) {
      emit("{}: {{DEF_VALUE}}\n", name);
    }
  }
  if (!description.provided.empty()) {
    emit("\nTemplate variables that are set by berth:\n");
    for (const auto& name : description.provided) {
      emit("{}\n", name);
    }
  }
}

int run_info(const CommandLine& line, ops::Context& context) {
  const auto description = ops::describe_image(context, line.image);
  if (line.json) {
    const base::Json json = {{"image", description.image.name},
                             {"imageId", description.image.id},
                             {"created", ops::rfc3339(description.image.created)},
                             {"labels", description.labels},
                             {"defaults", description.defaults},
                             {"required", description.required},
                             {"providedByBerth", description.provided}};
    emit_json(json);
    return exit_ok;
  }
  emit("Image Name: {}\n", description.image.name);
  for (const auto& [name, value] : description.labels) {
    emit("{}: {}\n", base::shown_line(name), base::shown_line(value));
  }
  print_variables(description);
  return exit_ok;
}

int run_history(const CommandLine& line, ops::Context& context) {
  const auto entries = ops::image_history(context, line.image);
  if (line.json) {
    auto list = base::Json::array();
    for (const auto& entry : entries) {
      list.push_back({{"created", entry.created},
                      {"createdBy", entry.created_by},
                      {"comment", entry.comment},
                      {"layer", entry.layer.empty() ? base::Json(nullptr) : base::Json(entry.layer)},
                      {"size", entry.size}});
    }
    emit_json(base::Json{{"history", std::move(list)}});
    return exit_ok;
  }
  std::vector<std::vector<std::string>> rows;
  rows.reserve(entries.size());
  for (const auto& entry : entries) {
    rows.push_back({entry.layer.empty() ? "<none>" : entry.layer.substr(0, id_digits), entry.created, entry.created_by,
                    human_size(static_cast<std::uint64_t>(entry.size)), entry.comment});
  }
  print_table({{"LAYER"}, {"CREATED", 20}, {"CREATED BY", 60}, {"SIZE"}, {"COMMENT", 30}}, rows, true,
              !line.list.no_truncation);
  return exit_ok;
}

int run_version(const CommandLine& line, ops::Context& context) {
  const auto versions = ops::image_versions(context, line.names);
  if (line.json) {
    auto list = base::Json::array();
    for (const auto& version : versions) {
      list.push_back({{"image", version.name},
                      {"imageId", version.id},
                      {"version", version.version.empty() ? base::Json(nullptr) : base::Json(version.version)}});
    }
    emit_json(base::Json{{"images", std::move(list)}});
    return exit_ok;
  }
  std::vector<std::vector<std::string>> rows;
  rows.reserve(versions.size());
  for (const auto& version : versions) {
    rows.push_back(
        {version.name, version.version.empty() ? "<none>" : version.version, version.id.substr(0, id_digits)});
  }
  print_table({{"IMAGE", 64}, {"VERSION", 32}, {"IMAGE ID"}}, rows, true, true);
  return exit_ok;
}

}  // namespace

void add_images_info(CLI::App& group, CommandLine& line) {
  auto* verb = add_verb(group, line, "info", "Show labels and template variables of an image", false,
                        [&line](ops::Context& context) { return run_info(line, context); });
  verb->add_option("IMAGE|NAME", line.image, "An image, or a container")->required();
  verb->add_flag("--json", line.json, "Print JSON");
}

void add_images_history(CLI::App& group, CommandLine& line) {
  auto* verb = add_verb(group, line, "history", "Show how an image was made, newest step first", false,
                        [&line](ops::Context& context) { return run_history(line, context); });
  verb->add_option("IMAGE|NAME", line.image, "An image, or a container")->required();
  verb->add_flag("--no-trunc", line.list.no_truncation, "Show everything in full length");
  verb->add_flag("--json", line.json, "Print JSON");
}

void add_images_version(CLI::App& group, CommandLine& line) {
  auto* verb = add_verb(group, line, "version", "Show the versions that images say they have", false,
                        [&line](ops::Context& context) { return run_version(line, context); });
  verb->add_option("IMAGE|NAME", line.names, "Images, or containers; all images without any");
  verb->add_flag("--json", line.json, "Print JSON");
}

}  // namespace berth::cli
