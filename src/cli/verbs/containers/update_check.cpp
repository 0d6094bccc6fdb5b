// SPDX-License-Identifier: LGPL-2.1-or-later
#include "cli/verbs/containers/update_check.hpp"

#include <algorithm>

#include "base/json.hpp"
#include "base/shown_text.hpp"
#include "cli/terminal/exit_code.hpp"
#include "cli/terminal/output.hpp"
#include "cli/terminal/table.hpp"
#include "cli/terminal/terminal.hpp"
#include "ops/containers/update_check.hpp"

namespace berth::cli {

namespace {

void print_set(const char* heading, const base::SetDifference& difference) {
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

/// Prints a text of an image line by line, so that control characters in it do not reach the terminal.
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
  emit("\n{}\n", diff.empty() ? check.container + ": only the root file system differs" : check.container);
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

int print_update_checks(const ops::UpdateRequest& request, bool with_diff, bool json, ops::Context& context) {
  const bool all = request.name.empty();
  const auto checks = all ? ops::check_all_updates(context, request, with_diff)
                          : std::vector<ops::UpdateCheck>{ops::check_update(context, request, with_diff)};
  int code = exit_ok;
  for (const auto& check : checks) {
    if (check.error) {
      context.reporter.warning(check.error->what());
      code = code == exit_ok ? exit_code(check.error->kind()) : code;
    }
  }
  if (json) {
    emit_json(all ? ops::to_json(checks) : ops::to_json(checks.front()));
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
