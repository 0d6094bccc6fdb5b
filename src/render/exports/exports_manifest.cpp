// SPDX-License-Identifier: LGPL-2.1-or-later
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/error.hpp"
#include "base/hint.hpp"
#include "base/json.hpp"
#include "render/exports/exports.hpp"
#include "render/template/template_pieces.hpp"
#include "render/unit/host_path.hpp"
#include "render/unit/plain_text.hpp"

namespace berth::render {
namespace {

constexpr std::string_view document_name = "exports/manifest.json";

constexpr std::array<std::string_view, 7> known_keys = {"version",     "defaultValues",      "installedFilesTemplate",
                                                        "renameFiles", "noContainerService", "useLinks",
                                                        "healthCheck"};

std::map<std::string, std::string> strings_of(const base::JsonView& view, std::string_view key) {
  std::map<std::string, std::string> result;
  if (const auto member = view.find(key)) {
    for (const auto& [name, value] : member->as_object()) {
      result.insert_or_assign(name, value.as_string());
    }
  }
  return result;
}

Values default_values(const base::JsonView& view) {
  Values values;
  for (auto& [name, value] : strings_of(view, "defaultValues")) {
    if (!is_variable_name(name)) {
      view.at("defaultValues").at(name).fail("this cannot be the name of a variable");
    }
    values.insert_or_assign(name, std::move(value));
  }
  return values;
}

void warn_about_unknown_keys(const base::JsonView& view, base::Reporter& reporter) {
  for (const auto& [key, value] : view.as_object()) {
    if (std::find(known_keys.begin(), known_keys.end(), key) == known_keys.end()) {
      reporter.warning(fmt::format("{}: the key {} is unknown and has no effect", document_name, base::printable(key)));
    }
  }
}

ExportsManifest read_manifest(std::string_view text, base::Reporter& reporter) {
  ExportsManifest manifest;
  manifest.document = base::parse_json(text, document_name);
  const base::JsonView view(manifest.document, std::string(document_name));
  refuse_control_characters(view);
  warn_about_unknown_keys(view, reporter);
  manifest.version = view.string_or("version", "");
  if (manifest.version != "1.0" && !manifest.version.empty()) {
    reporter.warning(
        fmt::format("{}: version {} is unknown; reading it as 1.0", document_name, base::printable(manifest.version)));
  }
  manifest.default_values = default_values(view);
  manifest.installed_files_template = view.strings_or_empty("installedFilesTemplate");
  for (const auto& [from, to] : strings_of(view, "renameFiles")) {
    manifest.rename_files.insert_or_assign(squeezed_path(from, "exports/manifest.json: renameFiles"), to);
  }
  manifest.no_container_service = view.bool_or("noContainerService", false);
  manifest.use_links = view.bool_or("useLinks", true);
  if (const auto check = view.find("healthCheck")) {
    manifest.health_check = parse_health_check(*check);
  }
  return manifest;
}

}  // namespace

ExportsManifest parse_exports_manifest(std::string_view text, base::Reporter& reporter) {
  return base::with_hint("correct exports/manifest.json of the image, see berth-exports(5)",
                         [&] { return read_manifest(text, reporter); });
}

}  // namespace berth::render
