// SPDX-License-Identifier: LGPL-2.1-or-later
#include "render/lint/lint_templates.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <numeric>
#include <set>

#include "base/error.hpp"
#include "render/template/template.hpp"
#include "render/unit/host_path.hpp"
#include "render/unit/plain_text.hpp"

namespace berth::render {
namespace {

constexpr const char* manifest_file = "exports/manifest.json";
constexpr std::array<std::string_view, 9> known_names = {
    "config.json", "config.json.template", "container.rpm",    "hostfs",           "manifest.json",
    "rpm.spec",    "rpm.spec.template",    "service.template", "tmpfiles.template"};
/// Placeholders for a variable without a value: part of a text, a number, an empty text.
constexpr std::array<std::string_view, 3> stand_ins = {"x", "1", ""};

struct TemplateText {
  std::string file;
  TemplateKind kind = TemplateKind::plain;
  std::string_view text;
};

std::vector<TemplateText> templates_of(const LintInput& input) {
  const auto& exports = *input.exports;
  std::vector<TemplateText> texts;
  if (exports.config_template) {
    texts.push_back({"exports/config.json.template", TemplateKind::json, *exports.config_template});
  }
  if (exports.service_template) {
    texts.push_back({"exports/service.template", TemplateKind::unit, *exports.service_template});
  }
  if (exports.tmpfiles_template) {
    texts.push_back({"exports/tmpfiles.template", TemplateKind::unit, *exports.tmpfiles_template});
  }
  for (const auto& [path, text] : input.host_templates) {
    texts.push_back({"exports/hostfs/" + path, TemplateKind::plain, text});
  }
  return texts;
}

/// The edit distance: how many bytes must be added, removed or changed to get from one to the other.
std::size_t distance(std::string_view left, std::string_view right) {
  std::vector<std::size_t> row(right.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 1; i <= left.size(); ++i) {
    auto diagonal = row[0];
    row[0] = i;
    for (std::size_t j = 1; j <= right.size(); ++j) {
      const auto changed = diagonal + (left[i - 1] == right[j - 1] ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({row[j] + 1, row[j - 1] + 1, changed});
    }
  }
  return row.back();
}

/// The known name that `name` probably misspells; empty without one.
std::string nearest(std::string_view name, const Values& known) {
  constexpr std::size_t shortest = 4;  // bytes; in shorter names a slip cannot be distinguished from another name
  const auto best = std::min_element(known.begin(), known.end(), [&](const auto& left, const auto& right) {
    return distance(name, left.first) < distance(name, right.first);
  });
  return best != known.end() && name.size() >= shortest && distance(name, best->first) <= 2 ? best->first : "";
}

base::Finding missing_value(const std::string& variable, std::string file, std::size_t line, const Values& known) {
  if (const auto meant = nearest(variable, known); !meant.empty()) {
    return {base::Severity::error,
            "unknown-variable",
            std::move(file),
            line,
            fmt::format("${} is not known", variable),
            fmt::format("write ${}, or give ${} a value in defaultValues of manifest.json", meant, variable)};
  }
  return {base::Severity::warning,
          "no-default",
          std::move(file),
          line,
          fmt::format("${} has no default: an install needs --set {}=…", variable, variable),
          "give it a value in defaultValues of manifest.json, unless the user must choose one"};
}

class TemplateChecker {
 public:
  explicit TemplateChecker(const LintInput& input)
      : input_(input), values_(merge_values(input.tool, input.set, input.exports->manifest.default_values)) {}

  TemplateReport run() {
    Renderer renderer(values_);
    for (const auto& text : templates_of(input_)) {
      renderer.render(text.kind, text.text, text.file);
    }
    for (const auto& problem : renderer.problems()) {
      if (problem.variable.empty()) {
        add_error(problem);
      } else {
        add_missing(problem.variable, problem.file, problem.line);
      }
    }
    for (const auto& [from, to] : input_.exports->manifest.rename_files) {
      for (const auto& variable : variables_in(to)) {
        if (!values_.contains(variable)) {
          add_missing(variable, manifest_file, line_of(input_.manifest, to));
        }
      }
    }
    stand_in();
    return std::move(report_);
  }

 private:
  void add_error(const TemplateProblem& problem) {
    report_.findings.push_back({base::Severity::error, "template", problem.file, problem.line, problem.message,
                                "see VARIABLES in berth-exports(5)"});
  }

  void add_missing(const std::string& variable, const std::string& file, std::size_t line) {
    if (std::find(missing_.begin(), missing_.end(), variable) == missing_.end()) {
      missing_.push_back(variable);
      report_.findings.push_back(missing_value(variable, file, line, values_));
    }
  }

  /// Gives the missing variables placeholders with which the rest can be checked.
  void stand_in() {
    if (missing_.empty()) {
      return;
    }
    std::vector<TemplateProblem> problems;
    for (const auto stand_in : stand_ins) {
      Values values = values_;
      for (const auto& name : missing_) {
        values.insert_or_assign(name, std::string(stand_in));
        report_.stand_ins.insert_or_assign(name, std::string(stand_in));
      }
      Renderer renderer(values);
      if (const auto& config = input_.exports->config_template) {
        renderer.render(TemplateKind::json, *config, "exports/config.json.template");
      }
      if (renderer.problems().empty()) {
        return;
      }
      problems = problems.empty() ? renderer.problems() : problems;
    }
    for (const auto& problem : problems) {
      const bool reported =
          std::any_of(report_.findings.begin(), report_.findings.end(), [&](const base::Finding& finding) {
            return finding.file == problem.file && finding.line == problem.line && finding.message == problem.message;
          });
      if (!reported) {
        add_error(problem);
      }
    }
  }

  const LintInput& input_;
  Values values_;
  std::vector<std::string> missing_;
  TemplateReport report_;
};

std::set<std::string> used_variables(const LintInput& input) {
  std::set<std::string> used;
  const auto add = [&used](std::string_view text) {
    for (auto& name : variables_in(text)) {
      used.insert(std::move(name));
    }
  };
  for (const auto& text : templates_of(input)) {
    add(text.text);
  }
  for (const auto& [from, to] : input.exports->manifest.rename_files) {
    add(to);
  }
  return used;
}

void check_defaults(const LintInput& input, base::Findings& findings) {
  const auto used = used_variables(input);
  const auto provided = merge_values(input.tool, {}, {});
  for (const auto& [name, value] : input.exports->manifest.default_values) {
    const auto line = line_of(input.manifest, fmt::format("\"{}\"", name));
    if (provided.contains(name) && name != "UUID") {
      findings.push_back({base::Severity::warning, "default-without-effect", manifest_file, line,
                          fmt::format("the default of {} has no effect: berth itself sets this variable", name),
                          "remove it from defaultValues"});
    } else if (!used.contains(name)) {
      findings.push_back({base::Severity::warning, "unused-default", manifest_file, line,
                          fmt::format("no template uses ${}, which has a default", name),
                          "use it, or remove it from defaultValues"});
    }
  }
}

/// Whether hostfs has an entry with this path.
bool is_in_hostfs(const Exports& exports, const std::string& path) {
  const auto wanted = squeezed_path(path, manifest_file).substr(1);
  return std::any_of(exports.host_entries.begin(), exports.host_entries.end(),
                     [&](const HostEntry& entry) { return entry.path == wanted; });
}

void check_paths(const LintInput& input, base::Findings& findings) {
  const auto& exports = *input.exports;
  const auto check = [&](const std::string& path, std::string_view key) {
    if (!is_in_hostfs(exports, path)) {
      findings.push_back({base::Severity::warning, "no-such-host-file", manifest_file, line_of(input.manifest, path),
                          fmt::format("{} names {}, which is not in exports/hostfs", key, base::printable(path)),
                          "correct the path, or add the file"});
    }
  };
  for (const auto& path : exports.manifest.installed_files_template) {
    check(path, "installedFilesTemplate");
  }
  for (const auto& [from, to] : exports.manifest.rename_files) {
    check(from, "renameFiles");
  }
}

}  // namespace

base::Findings check_names(const LintInput& input) {
  base::Findings findings;
  const auto has = [&](std::string_view name) {
    return std::find(input.names.begin(), input.names.end(), name) != input.names.end();
  };
  for (const auto& name : input.names) {
    if (std::find(known_names.begin(), known_names.end(), name) == known_names.end()) {
      findings.push_back({base::Severity::warning, "unknown-file", "exports/" + base::printable(name), 0,
                          "berth does not read a file of this name",
                          fmt::format("berth reads {}", fmt::join(known_names, ", "))});
    }
  }
  if (has("config.json") && has("config.json.template")) {
    findings.push_back({base::Severity::warning, "ignored-template", "exports/config.json.template", 0,
                        "it is ignored, because there is a config.json", "remove one of the two"});
  }
  if (!has("manifest.json")) {
    findings.push_back({base::Severity::note, "no-manifest", manifest_file, 0, "there is no manifest.json",
                        R"(write one with at least {"version": "1.0"}; defaults and a health check go there)"});
  } else if (!input.manifest.empty() && input.exports->manifest.version.empty()) {
    findings.push_back(
        {base::Severity::note, "no-version", manifest_file, 0, "there is no version", R"(add "version": "1.0")"});
  }
  return findings;
}

TemplateReport check_templates(const LintInput& input) {
  return TemplateChecker(input).run();
}

base::Findings check_manifest(const LintInput& input) {
  base::Findings findings;
  check_defaults(input, findings);
  check_paths(input, findings);
  return findings;
}

}  // namespace berth::render
