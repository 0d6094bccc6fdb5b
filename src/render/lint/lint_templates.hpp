// SPDX-License-Identifier: LGPL-2.1-or-later
// Checks of the templates, of their variables and of manifest.json for the author of an image.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "base/finding.hpp"
#include "render/exports/exports.hpp"
#include "render/template/values.hpp"

namespace berth::render {

/// What the author wrote, and the values that the templates are rendered with.
struct LintInput {
  const Exports* exports = nullptr;
  std::vector<std::string> names;                     ///< entries of the directory /exports
  std::string manifest;                               ///< text of manifest.json; empty without one
  std::map<std::string, std::string> host_templates;  ///< path below hostfs → text, for installedFilesTemplate
  ToolValues tool;
  Values set;  ///< values of --set
};

/// Reports files in /exports that berth does not read, and a missing manifest.json.
base::Findings check_names(const LintInput& input);

struct TemplateReport {
  base::Findings findings;
  /// A placeholder for each variable without a value, such that the templates render.
  Values stand_ins;
};

/// Renders every template with the defaults.
TemplateReport check_templates(const LintInput& input);

/// Reports defaults that have no use or no effect, and entries of installedFilesTemplate and renameFiles that match no
/// file of hostfs.
base::Findings check_manifest(const LintInput& input);

}  // namespace berth::render
