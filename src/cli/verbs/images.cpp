// berth images and the verbs below it that change names and free space: tag, delete, prune, update.
#include <fmt/format.h>

#include "cli/terminal/exit_code.hpp"
#include "cli/terminal/output.hpp"
#include "cli/terminal/table.hpp"
#include "cli/terminal/terminal.hpp"
#include "cli/verbs/command_line.hpp"
#include "ops/images/image_change.hpp"

namespace berth::cli {

namespace {

int run_delete(const CommandLine& line, ops::Context& context) {
  for (const auto& name : ops::delete_images(context, line.names, line.force)) {
    context.reporter.step(fmt::format("deleted {}", name));
  }
  context.reporter.step("berth images prune frees the space that nothing needs now");
  return exit_ok;
}

int run_prune(const CommandLine& line, ops::Context& context) {
  const auto outcome = ops::prune(context, line.dry_run);
  if (line.json) {
    const base::Json json = {{"dryRun", line.dry_run},
                             {"layers", outcome.store.layers},
                             {"objects", outcome.store.objects},
                             {"bytes", outcome.store.bytes},
                             {"directories", outcome.directories}};
    emit_json(json);
    return exit_ok;
  }
  const char* verb = line.dry_run ? "would remove" : "removed";
  for (const auto& directory : outcome.directories) {
    emit("{} {}\n", verb, directory);
  }
  emit("{} {} layers and {} objects, {}\n", verb, outcome.store.layers, outcome.store.objects,
       human_size(outcome.store.bytes));
  return exit_ok;
}

base::Json to_json(const ops::ImageUpdate& update) {
  return {{"image", update.name},
          {"idBefore", update.id_before},
          {"idAfter", update.id_after},
          {"status", update.status},
          {"reason", update.reason}};
}

void print_updates(const std::vector<ops::ImageUpdate>& updates) {
  std::vector<std::vector<std::string>> rows;
  rows.reserve(updates.size());
  for (const auto& update : updates) {
    rows.push_back(
        {update.name, update.id_before.substr(0, id_digits), update.id_after.substr(0, id_digits), update.status});
  }
  print_table({{"IMAGE", 64}, {"ID BEFORE"}, {"ID AFTER"}, {"STATUS"}}, rows, true, true);
}

int run_images_update(const CommandLine& line, ops::Context& context) {
  if (line.names.empty() != line.every) {
    throw base::Error(base::ErrorKind::usage,
                      line.every ? "--all and names of images exclude each other" : "no image is named",
                      "name the images to be updated, or give --all");
  }
  const auto updates = ops::update_images(context, {line.names, line.pull.authfile});
  int code = exit_ok;
  auto list = base::Json::array();
  for (const auto& update : updates) {
    list.push_back(to_json(update));
    const auto reason = fmt::format("{} {}: {}", update.name, update.status, update.reason);
    if (update.error) {
      context.reporter.warning(reason);
      code = code == exit_ok ? exit_code(update.error->kind()) : code;
    } else if (!update.reason.empty()) {
      context.reporter.step(reason);
    }
  }
  if (line.json) {
    emit_json(base::Json{{"images", std::move(list)}});
  } else {
    print_updates(updates);
  }
  return code;
}

void add_tag(CLI::App& group, CommandLine& line) {
  auto* verb = add_verb(group, line, "tag", "Give a stored image another name", true, [&line](ops::Context& context) {
    context.reporter.step(
        fmt::format("{} is now also {}", line.image, ops::tag_image(context, line.image, line.target)));
    return exit_ok;
  });
  verb->add_option("IMAGE", line.image, "What is stored already")->required();
  verb->add_option("NEW-NAME", line.target, "REGISTRY/REPOSITORY[:TAG]")->required();
}

void add_delete(CLI::App& group, CommandLine& line) {
  auto* verb = add_verb(group, line, "delete", "Forget images, by name or beginning of the id", true,
                        [&line](ops::Context& context) { return run_delete(line, context); });
  verb->add_option("IMAGE", line.names, "Names, or beginnings of ids")->required();
  verb->add_flag("-f,--force", line.force, "Also the names of images that a container uses");
}

void add_prune(CLI::App& group, CommandLine& line) {
  auto* verb = add_verb(group, line, "prune", "Remove what no image and no container needs", true,
                        [&line](ops::Context& context) { return run_prune(line, context); });
  verb->add_flag("--dry-run", line.dry_run, "Only say how much would be removed");
  verb->add_flag("--json", line.json, "Print the result as JSON");
}

void add_images_update(CLI::App& group, CommandLine& line) {
  auto* verb = add_verb(group, line, "update", "Pull what the registries have now", true,
                        [&line](ops::Context& context) { return run_images_update(line, context); });
  verb->add_option("IMAGE", line.names, "Stored images");
  verb->add_flag("--all", line.every, "All stored images");
  add_authfile(*verb, line.pull.authfile);
  verb->add_flag("--json", line.json, "Print the result as JSON");
}

}  // namespace

void add_images(CLI::App& app, CommandLine& line) {
  auto* group = app.add_subcommand("images", "What is in the store");
  group->fallthrough();
  group->require_subcommand(1);
  add_images_list(*group, line);
  add_images_info(*group, line);
  add_images_history(*group, line);
  add_images_version(*group, line);
  add_images_verify(*group, line);
  add_images_repair(*group, line);
  add_images_update(*group, line);
  add_tag(*group, line);
  add_delete(*group, line);
  add_prune(*group, line);
}

}  // namespace berth::cli
