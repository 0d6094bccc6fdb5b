// berth lint.
#include "ops/author/lint.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/shown_text.hpp"
#include "cli/terminal/exit_code.hpp"
#include "cli/terminal/output.hpp"
#include "cli/verbs/command_line.hpp"

namespace berth::cli {

namespace {

using base::Finding;
using base::Severity;

constexpr std::array<std::string_view, 3> severities = {"note", "warning", "error"};

std::string_view name_of(Severity severity) {
  return severities.at(static_cast<std::size_t>(severity));
}

/// `exports/x` as the user can open it.
std::string shown_file(const Finding& finding, const std::string& directory) {
  constexpr std::string_view own = "exports";
  const bool inside = finding.file == own || finding.file.starts_with("exports/");
  return inside ? directory + finding.file.substr(own.size()) : finding.file;
}

base::Json to_json(const Finding& finding, const std::string& directory) {
  return {{"file", shown_file(finding, directory)},
          {"line", finding.line == 0 ? base::Json(nullptr) : base::Json(finding.line)},
          {"severity", name_of(finding.severity)},
          {"code", finding.code},
          {"sentence", finding.message},
          {"hint", finding.hint.empty() ? base::Json(nullptr) : base::Json(finding.hint)}};
}

/// As compilers do, so that editors find the place.
void print_finding(const Finding& finding, const std::string& directory) {
  const auto file = shown_file(finding, directory);
  emit("{}{}: {}: {} [{}]\n", base::shown_line(file),
       finding.line == 0 ? std::string() : fmt::format(":{}", finding.line), name_of(finding.severity),
       base::shown_line(finding.message), finding.code);
  if (!finding.hint.empty() && finding.severity != Severity::note) {
    emit("    {}\n", base::shown_line(finding.hint));
  }
}

int run_lint(const CommandLine& line, ops::Context& context) {
  const auto report = ops::lint(context, line.lint);
  std::array<std::size_t, 3> counts{};
  auto list = base::Json::array();
  for (const auto& finding : report.findings) {
    ++counts.at(static_cast<std::size_t>(finding.severity));
    if (line.json) {
      list.push_back(to_json(finding, report.directory));
    } else if (finding.severity != Severity::note || !line.globals.quiet) {
      print_finding(finding, report.directory);
    }
  }
  if (line.json) {
    emit_json(list);
  }
  const auto [notes, warnings, errors] = counts;
  context.reporter.step(fmt::format("{} errors, {} warnings, {} notes", errors, warnings, notes));
  return errors > 0 || (line.strict && warnings > 0) ? exit_code(base::ErrorKind::failed) : exit_ok;
}

}  // namespace

void add_lint(CLI::App& app, CommandLine& line) {
  auto* verb = add_verb(app, line, "lint", "Check what an image tells berth in /exports", false,
                        [&line](ops::Context& context) { return run_lint(line, context); });
  verb->add_option("DIR|IMAGE", line.lint.preview.target, "An exports directory, one that holds it, or [SOURCE:]IMAGE")
      ->required();
  add_set(*verb, line, line.lint.set, "Set a template variable; may be given several times");
  verb->add_flag("--strict", line.strict, "Fail on warnings, too");
  verb->add_flag("--json", line.json, "Print the findings as JSON");
  add_authfile(*verb, line.lint.preview.authfile);
  add_platform(*verb, line.lint.preview.platform);
}

}  // namespace berth::cli
