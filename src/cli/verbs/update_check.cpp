// berth update --check.
#include "ops/containers/update_check.hpp"

#include "base/shown_text.hpp"
#include "cli/terminal/exit_code.hpp"
#include "cli/terminal/output.hpp"
#include "cli/terminal/table.hpp"
#include "cli/terminal/terminal.hpp"
#include "cli/verbs/command_line.hpp"

namespace berth::cli {

namespace {

base::Json to_json(const ops::SetDifference& difference) {
  return {{"added", difference.added}, {"removed", difference.removed}};
}

base::Json to_json(const ops::DeploymentDiff& diff) {
  auto files = to_json(diff.host_files);
  files["changed"] = diff.changed_host_files;
  return {{"capabilities", to_json(diff.capabilities)},
          {"namespaces", to_json(diff.namespaces)},
          {"mounts", to_json(diff.mounts)},
          {"environment", to_json(diff.environment)},
          {"config", diff.config},
          {"unit", diff.unit},
          {"tmpfiles", diff.tmpfiles},
          {"hostFiles", std::move(files)},
          {"defaultValues", to_json(diff.default_values)}};
}

base::Json to_json(const ops::UpdateCheck& check) {
  const auto text = [](const std::string& value) { return value.empty() ? base::Json(nullptr) : base::Json(value); };
  base::Json json = {{"container", check.container},
                     {"image", text(check.image)},
                     {"newer", check.newer()},
                     {"idInstalled", text(check.id_installed)},
                     {"idAvailable", text(check.id_available)},
                     {"versionInstalled", text(check.version_installed)},
                     {"versionAvailable", text(check.version_available)},
                     {"layersToFetch", check.layers_to_fetch},
                     {"bytesToFetch", check.bytes_to_fetch},
                     {"diff", nullptr},
                     {"error", nullptr}};
  if (check.diff) {
    json["diff"] = to_json(*check.diff);
  }
  if (check.error) {
    json["error"] = {{"sentence", check.error->what()}, {"hint", check.error->hint()}};
  }
  return json;
}

void print_set(const char* heading, const ops::SetDifference& difference) {
  if (difference.empty()) {
    return;
  }
  emit("\n{}:\n", heading);
  for (const auto& entry : difference.removed) {
    emit("  - {}\n", base::shown_line(entry));
  }
  for (const auto& entry : difference.added) {
    emit("  + {}\n", base::shown_line(entry));
  }
}

/// A text from an image, line by line, so that it cannot speak to the terminal.
void print_text(const char* heading, const std::string& text) {
  if (text.empty()) {
    return;
  }
  emit("\n{}:\n", heading);
  for (std::size_t start = 0; start < text.size();) {
    const auto end = std::min(text.find('\n', start), text.size());
    emit("  {}\n", base::shown_line(std::string_view(text).substr(start, end - start)));
    start = end + 1;
  }
}

void print_diff(const ops::UpdateCheck& check) {
  const auto& diff = *check.diff;
  emit("\n{}\n", diff.empty() ? check.container + ": nothing differs but the root file system" : check.container);
  print_set("Capabilities", diff.capabilities);
  print_set("Namespaces", diff.namespaces);
  print_set("Mounts", diff.mounts);
  print_set("Environment", diff.environment);
  print_text("The rest of config.json", diff.config);
  print_text("Unit", diff.unit);
  print_text("tmpfiles.d lines", diff.tmpfiles);
  print_set("Files on the host", diff.host_files);
  if (!diff.changed_host_files.empty()) {
    emit("\nChanged files on the host:\n");
    for (const auto& path : diff.changed_host_files) {
      emit("  {}\n", base::shown_line(path));
    }
  }
  print_set("Default values", diff.default_values);
}

std::string status_of(const ops::UpdateCheck& check) {
  return check.error ? "failed" : check.newer() ? "newer" : "current";
}

void print_table_of(const std::vector<ops::UpdateCheck>& checks) {
  std::vector<std::vector<std::string>> lines;
  lines.reserve(checks.size());
  for (const auto& check : checks) {
    lines.push_back({check.container, check.image, check.id_installed.substr(0, id_digits), check.version_installed,
                     check.id_available.substr(0, id_digits), check.version_available,
                     check.error ? "" : human_size(check.bytes_to_fetch), status_of(check)});
  }
  print_table({{"CONTAINER", 24},
               {"IMAGE", 36},
               {"INSTALLED"},
               {"VERSION", 16},
               {"AVAILABLE"},
               {"VERSION", 16},
               {"TO FETCH"},
               {"STATUS"}},
              lines, true, true);
}

}  // namespace

int print_update_checks(const CommandLine& line, ops::Context& context) {
  auto request = line.update;
  std::vector<ops::UpdateCheck> checks;
  if (line.every) {
    checks = ops::check_all_updates(context, request, line.diff);
  } else {
    request.name = line.names.front();
    checks.push_back(ops::check_update(context, request, line.diff));
  }
  int code = exit_ok;
  auto list = base::Json::array();
  for (const auto& check : checks) {
    list.push_back(to_json(check));
    if (check.error) {
      context.reporter.warning(check.error->what());
      code = code == exit_ok ? exit_code(check.error->kind()) : code;
    }
  }
  if (line.json) {
    emit_json((line.every ? base::Json{{"containers", std::move(list)}} : list.front()));
    return code;
  }
  print_table_of(checks);
  for (const auto& check : checks) {
    if (check.diff) {
      print_diff(check);
    }
  }
  return code;
}

}  // namespace berth::cli
