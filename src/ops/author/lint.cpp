// SPDX-License-Identifier: LGPL-2.1-or-later
#include "ops/author/lint.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <set>

#include "base/error.hpp"
#include "base/file.hpp"
#include "base/json.hpp"
#include "base/process.hpp"
#include "ops/containers/install.hpp"
#include "ops/plan/plan.hpp"
#include "ops/result_json.hpp"
#include "ops/temp_directory.hpp"
#include "render/lint/lint_image.hpp"
#include "render/lint/lint_privileges.hpp"
#include "render/lint/lint_templates.hpp"
#include "render/lint/lint_unit.hpp"
#include "render/spec/sensitive_paths.hpp"
#include "render/template/template.hpp"
#include "render/template/template_pieces.hpp"
#include "render/unit/tmpfiles.hpp"
#include "render/unit/tmpfiles_check.hpp"

namespace berth::ops {

namespace {

using base::Finding;
using base::Findings;
using base::Severity;

constexpr const char* unit_file = "exports/service.template";
constexpr const char* tmpfiles_file = "exports/tmpfiles.template";

/// @return the number at the beginning of `text`; 0 when it begins with another character
/// @param rest gets the text after it
std::size_t leading_number(std::string_view text, std::string_view& rest) {
  std::size_t number = 0;
  const auto* const end = std::from_chars(text.data(), text.data() + text.size(), number).ptr;
  rest = text.substr(static_cast<std::size_t>(end - text.data()));
  return number;
}

/// Turns a message into a finding with file and line: `exports/FILE:LINE: …`, `exports/FILE: …`, `exports/FILE is …`.
Finding located(Severity severity, std::string code, std::string_view message, std::string hint) {
  Finding finding{severity, std::move(code), "exports", 0, std::string(message), std::move(hint)};
  const auto start = message.starts_with("/exports") ? 1U : 0U;
  if (!message.substr(start).starts_with("exports")) {
    return finding;
  }
  const auto end = std::min(message.find_first_of(": ", start), message.size());
  finding.file = std::string(message.substr(start, end - start));
  auto rest = message.substr(end);
  if (rest.starts_with(':')) {
    std::string_view after;
    finding.line = leading_number(rest.substr(1), after);
    rest = finding.line == 0 ? rest : after;
    finding.message = std::string(rest.substr(std::min(rest.find_first_not_of(": "), rest.size())));
  }
  constexpr std::string_view word = "line ";  // in messages of the JSON parser
  if (const auto position = rest.find(word); finding.line == 0 && position != std::string_view::npos) {
    std::string_view after;
    finding.line = leading_number(rest.substr(position + word.size()), after);
  }
  return finding;
}

Finding located(const base::Error& error) {
  return located(Severity::error, "refused", error.message(), error.hint());
}

/// Turns warnings into findings.
class FindingReporter final : public base::Reporter {
 public:
  explicit FindingReporter(Findings& findings) : findings_(findings) {}
  void step(std::string_view) override {}
  void progress(const base::Progress&) override {}
  void warning(std::string_view message) override {
    findings_.push_back(located(Severity::warning, "manifest", message, "see berth-exports(5)"));
  }

 private:
  Findings& findings_;
};

/// One run on one preview.
class Linter {
 public:
  Linter(const Context& context, const LintRequest& request)
      : context_(context),
        set_(parse_set(request.set)),
        reporter_(findings_),
        preview_(context, request.preview, reporter_,
                 [this](const base::Error& error) { findings_.push_back(located(error)); }) {}

  LintReport run() {
    if (!preview_.files().exports.present) {
      add({{Severity::note, "no-exports", "exports", 0,
            "the image has no /exports; berth generates the service from its configuration",
            "berth init DIR --from IMAGE creates templates"}});
    } else {
      check_parts();
    }
    check_plan();
    check_image();
    return {preview_.shown_directory(), sorted()};
  }

 private:
  void add(Findings more) {
    findings_.insert(findings_.end(), std::make_move_iterator(more.begin()), std::make_move_iterator(more.end()));
  }

  [[nodiscard]] bool has_errors() const {
    return std::any_of(findings_.begin(), findings_.end(),
                       [](const Finding& finding) { return finding.severity == Severity::error; });
  }

  [[nodiscard]] render::LintInput input() const {
    const auto& files = preview_.files();
    const int directory = files.exports_directory.get();
    render::LintInput input;
    input.exports = &files.exports;
    input.names = base::list_directory(directory);
    const bool refused = std::any_of(findings_.begin(), findings_.end(), [](const Finding& finding) {
      return finding.severity == Severity::error && finding.file == "exports/manifest.json";
    });
    if (!refused) {
      input.manifest = base::read_file_at(directory, "manifest.json", render::template_size_limit).value_or("");
    }
    for (const auto& path : files.exports.manifest.installed_files_template) {
      const auto name = path.substr(path.starts_with('/') ? 1 : 0);
      for (const auto& entry : files.exports.host_entries) {
        if (entry.path == name && entry.kind == render::HostEntryKind::file) {
          input.host_templates.emplace(name, render::read_host_entry(directory, entry, render::template_size_limit));
        }
      }
    }
    input.tool.name = "NAME";
    input.tool.runtime = "/usr/bin/runc";
    input.set = set_;
    return input;
  }

  void check_parts() {
    const auto all = input();
    add(render::check_names(all));
    add(render::check_manifest(all));
    auto report = render::check_templates(all);
    add(std::move(report.findings));
    set_.merge(report.stand_ins);
    if (const auto& unit = preview_.files().exports.service_template) {
      add(render::check_unit_template(*unit));
    }
  }

  /// An install of an exports directory without config.json cannot be planned, because the image configuration is not
  /// known.
  [[nodiscard]] bool can_be_planned() const {
    const auto& exports = preview_.files().exports;
    return preview_.is_image() || exports.config || exports.config_template || exports.manifest.no_container_service;
  }

  void check_plan() {
    if (has_errors() || !can_be_planned()) {
      return;
    }
    try {
      const auto inputs = preview_.inputs({"", set_, ""});
      check_result(make_plan(inputs));
    } catch (const base::Error& error) {
      findings_.push_back(located(error));
    }
  }

  void check_result(const InstallPlan& plan) {
    const auto& exports = preview_.files().exports;
    add(render::check_host_files(exports, plan.values));
    std::string unit;
    if (exports.service_template && plan.unit) {
      unit = render::substitute(render::split_template(*exports.service_template), plan.values);
      add(render::unit_notes(unit, plan.values));
      verify_unit(plan.name, unit);
    }
    if (exports.tmpfiles_template && plan.tmpfiles) {
      add(render::check_tmpfiles(*plan.tmpfiles, tmpfiles_file));
      add(render::tmpfiles_notes(*plan.tmpfiles));
    }
    if (!plan.config.empty()) {
      check_config(plan, unit);
    }
    for (const auto& finding : plan.findings) {
      if (finding.code != "source-not-made") {  // check_config checks this independently of this machine
        add({finding});
      }
    }
    if (plan.unit && plan.info.health_check.is_null()) {
      add({{Severity::note, "no-health-check", "exports/manifest.json", 0,
            "an update cannot check the health of the service", "add healthCheck to manifest.json"}});
    }
  }

  void check_config(const InstallPlan& plan, const std::string& unit) {
    const auto& exports = preview_.files().exports;
    const auto config = base::parse_json(plan.config, "config.json");
    const std::string file = exports.config            ? "exports/config.json"
                             : exports.config_template ? "exports/config.json.template"
                                                       : "generated config.json";
    const auto& text = exports.config            ? *exports.config
                       : exports.config_template ? *exports.config_template
                                                 : plan.config;
    for (const auto& conversion : plan.conversions) {
      add({{Severity::note, "old-form", file, 0, conversion, "write the form of OCI runtime-spec 1.0.2"}});
    }
    add(render::config_notes(config, plan.cgroups_path, text, file));
    std::set<std::string> made;
    for (const auto& path : render::directories_of_unit(unit)) {
      made.insert(path);
    }
    for (const auto& path : render::created_tmpfiles_paths(plan.tmpfiles.value_or(""))) {
      made.insert(path);
    }
    for (const auto& planned : plan.files) {
      made.insert(planned.file.destination);
    }
    made.insert(plan.kept_files.begin(), plan.kept_files.end());
    const auto copies = fmt::format("/run/container-{}/", plan.name);  // see render::with_resolver_copies
    made.insert({copies + "resolv.conf", copies + "hosts"});
    add(render::check_config_needs(
        config, {text, file, preview_.has_rootfs() ? preview_.files().rootfs.get() : -1,
                 [&made](const std::string& path) { return render::is_usual_host_path(path) || made.contains(path); },
                 unit, !runs_once(preview_.files().config)}));
  }

  /// Runs systemd-analyze(1), which needs neither root nor a running systemd.
  void verify_unit(const std::string& name, const std::string& unit) {
    const TempDirectory temp_directory(temporary_files(), context_.reporter);
    const auto path = fmt::format("{}/{}", temp_directory.path(), host::unit_name(name));
    try {
      base::create_file_at(AT_FDCWD, path, unit, 0600);
      base::ProcessOptions options;
      // Variables such as SYSTEMD_LOG_TIME would change the format of the messages.
      options.environment = {"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C.UTF-8"};
      const auto result =
          base::run_process({"systemd-analyze", "verify", "--man=no", "--recursive-errors=no", path}, options);
      add_verdict(result.error_output, path, host::unit_name(name));
    } catch (const base::Error& error) {
      add({{Severity::note, "unit-not-verified", unit_file, 0,
            error.kind() == base::ErrorKind::not_found
                ? "systemd-analyze is not installed, so the unit was not verified"
                : error.what(),
            "run berth lint where systemd is installed"}});
    }
  }

  /// The text of a message decides, for systemd gives no number: exit status and priority are the same for a setting
  /// that is ignored, a unit that is not loaded, and a program that this machine does not have.
  /// @param output of systemd-analyze: `PATH:LINE: …`, `UNIT: …`
  void add_verdict(const std::string& output, const std::string& path, const std::string& unit) {
    for (std::string_view rest = output; !rest.empty();) {
      auto line = rest.substr(0, rest.find('\n'));
      rest.remove_prefix(std::min(line.size() + 1, rest.size()));
      // Whether a program exists depends on the machine.
      if (line.find(" is not executable: ") != std::string_view::npos) {
        continue;
      }
      Finding finding{Severity::error, "unit", unit_file, 0, {}, "see systemd.service(5)"};
      if (line.starts_with(path + ":")) {
        line.remove_prefix(path.size() + 1);
        finding.line = leading_number(line, line);
      } else if (line.starts_with(unit + ":")) {
        line.remove_prefix(unit.size() + 1);
      } else {
        continue;  // about other units of this machine
      }
      const bool fatal =
          line.find("Refusing") != std::string_view::npos || line.find("fatal") != std::string_view::npos;
      finding.severity = fatal ? Severity::error : Severity::warning;
      finding.message = base::printable(line.substr(std::min(line.find_first_not_of(": "), line.size())));
      findings_.push_back(std::move(finding));
    }
  }

  void check_image() {
    const auto& files = preview_.files();
    if (preview_.is_image()) {
      add(render::check_labels(files.config));
    }
    const bool has_help = files.config.labels.contains("help") ||
                          (preview_.has_rootfs() && (base::stat_at(files.rootfs.get(), "help.1") ||
                                                     base::stat_at(files.rootfs.get(), "help.md")));
    if (preview_.has_rootfs() && !has_help) {
      add({{Severity::note, "no-help", "image", 0, "the image has no documentation for its users",
            "add a /help.1, or a label `help`"}});
    }
  }

  Findings sorted() {
    std::stable_sort(findings_.begin(), findings_.end(), [](const Finding& left, const Finding& right) {
      return std::tie(left.file, left.line) < std::tie(right.file, right.line);
    });
    return std::move(findings_);
  }

  const Context& context_;
  render::Values set_;
  Findings findings_;
  FindingReporter reporter_;
  ImagePreview preview_;
};

}  // namespace

LintReport lint(const Context& context, const LintRequest& request) {
  return Linter(context, request).run();
}

std::string path_of(const LintReport& report, const Finding& finding) {
  constexpr std::string_view own = "exports";
  const bool inside = finding.file == own || finding.file.starts_with("exports/");
  return inside ? report.directory + finding.file.substr(own.size()) : finding.file;
}

std::string_view name_of(Severity severity) {
  static constexpr std::array<std::string_view, 3> names = {"note", "warning", "error"};
  return names.at(static_cast<std::size_t>(severity));
}

base::Json to_json(const LintReport& report) {
  auto list = base::Json::array();
  for (const auto& finding : report.findings) {
    list.push_back({{"file", path_of(report, finding)},
                    {"line", finding.line == 0 ? base::Json(nullptr) : base::Json(finding.line)},
                    {"severity", name_of(finding.severity)},
                    {"code", finding.code},
                    {"message", finding.message},
                    {"hint", or_null(finding.hint)}});
  }
  return list;
}

}  // namespace berth::ops
