// SPDX-License-Identifier: LGPL-2.1-or-later
// berth lint.
#include "ops/author/lint.hpp"

#include <fmt/format.h>

#include <array>

#include "base/json.hpp"
#include "base/shown_text.hpp"
#include "cli/options/shared_options.hpp"
#include "cli/terminal/exit_code.hpp"
#include "cli/terminal/output.hpp"

namespace berth::cli {

namespace {

using base::Finding;
using base::Severity;

struct LintOptions {
  ops::PreviewRequest preview;
  bool strict = false;
  bool json = false;
};

/// In the format of compilers, so that editors find the line.
void print_finding(const ops::LintReport& report, const Finding& finding) {
  emit("{}{}: {}: {} [{}]\n", base::shown_line(ops::path_of(report, finding)),
       finding.line == 0 ? std::string() : fmt::format(":{}", finding.line), ops::name_of(finding.severity),
       base::shown_line(finding.message), finding.code);
  if (!finding.hint.empty() && finding.severity != Severity::note) {
    emit("    {}\n", base::shown_line(finding.hint));
  }
}

int run(const LintOptions& options, const CommandLine& line, ops::Context& context) {
  const auto report = ops::lint(context, {options.preview, line.values});
  std::array<std::size_t, 3> counts{};
  for (const auto& finding : report.findings) {
    ++counts.at(static_cast<std::size_t>(finding.severity));
    if (!options.json && (finding.severity != Severity::note || !line.globals.quiet)) {
      print_finding(report, finding);
    }
  }
  if (options.json) {
    emit_json(ops::to_json(report));
  }
  const auto [notes, warnings, errors] = counts;
  context.reporter.step(fmt::format("{} errors, {} warnings, {} notes", errors, warnings, notes));
  return errors > 0 || (options.strict && warnings > 0) ? exit_code(base::ErrorKind::failed) : exit_ok;
}

void declare(const Subcommand& verb, LintOptions& options, CommandLine& line) {
  verb.add_option("DIR|IMAGE", options.preview.target, "An exports directory, its parent, or [SOURCE:]IMAGE")
      .required();
  add_set(verb, line.set, "Set a template variable; may be given several times");
  verb.add_flag("--strict", options.strict, "Treat warnings as errors");
  verb.add_flag("--json", options.json, "Print the findings as JSON");
  add_authfile(verb, options.preview.authfile);
  add_platform(verb, options.preview.platform);
}

}  // namespace

Verb lint_verb() {
  return make_verb<LintOptions>({.name = "lint", .order = 190, .summary = "Check the /exports directory of an image"},
                                declare, run);
}

}  // namespace berth::cli
