// What an image's author should know about its /exports. Each check looks at one part and changes nothing.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/finding.hpp"
#include "base/json.hpp"
#include "image/manifest.hpp"
#include "render/exports/exports.hpp"
#include "render/template/values.hpp"

namespace berth::render {

/// Everything that was written down by the author.
struct LintInput {
  const Exports* exports = nullptr;
  std::vector<std::string> names;                     ///< what is in the directory /exports
  std::string manifest;                               ///< text of manifest.json; empty when there is none
  std::map<std::string, std::string> host_templates;  ///< path below hostfs → text, for installedFilesTemplate
  ToolValues tool;
  Values set;  ///< what would be given with --set
};

/// Line, from 1, of the first place where `text` stands in `document`; 0 when it stands nowhere.
std::size_t line_of(std::string_view document, std::string_view text);

/// Files in /exports that nobody reads, and what is missing there.
base::Findings check_names(const LintInput& input);

struct TemplateReport {
  base::Findings findings;
  /// A stand-in for each variable without a value, such that the templates render.
  Values stand_ins;
};

/// Renders every template with the defaults.
TemplateReport check_templates(const LintInput& input);

/// Defaults without use or effect, and entries of installedFilesTemplate and renameFiles that name nothing.
base::Findings check_manifest(const LintInput& input);

/// How the unit template goes together with what berth starts. @param text of service.template
base::Findings check_unit_template(std::string_view text);

/// Files, directories and links of hostfs that are a danger on the host. @param values of the templates
base::Findings check_host_files(const Exports& exports, const Values& values);

/// What a unit, tmpfiles.d lines and config.json may do to the host, as notes.
/// @param rendered the unit, line by line as its template
base::Findings unit_notes(std::string_view rendered, const Values& values);
base::Findings tmpfiles_notes(std::string_view rendered);
/// @param cgroups_path see powerful_requests. @param text in which the lines are looked for. @param file its name
base::Findings config_notes(const base::Json& config, std::string_view cgroups_path, std::string_view text,
                            std::string_view file);

/// What a finished config.json needs, and an image or host may lack.
struct ConfigNeeds {
  std::string_view text;  ///< in which the lines are looked for
  std::string_view file;  ///< its name
  int rootfs = -1;        ///< of the image, to look for the program; -1 when only /exports is there
  /// Whether a host path is there on every host, or made by what the image brings.
  std::function<bool(const std::string&)> is_made;
  std::string_view unit = {};  ///< rendered
  bool is_service = true;      ///< or it is run once
};
base::Findings check_config_needs(const base::Json& config, const ConfigNeeds& needs);

/// Host paths that RuntimeDirectory=, StateDirectory= and the like of a rendered unit make (systemd.exec(5)).
std::vector<std::string> directories_of_unit(std::string_view rendered);

/// Labels and further parts of the image configuration that berth shows or uses.
base::Findings check_labels(const image::ImageConfig& config);

}  // namespace berth::render
