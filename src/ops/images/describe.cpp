// SPDX-License-Identifier: LGPL-2.1-or-later
#include "ops/images/describe.hpp"

#include <optional>
#include <set>

#include "base/json.hpp"
#include "ops/images/image_lookup.hpp"
#include "ops/timestamp.hpp"
#include "render/exports/exports.hpp"
#include "render/template/template.hpp"
#include "render/template/values.hpp"

namespace berth::ops {

namespace {

std::optional<std::string> read_export(const store::Store& store, const store::StoredImage& image,
                                       const std::string& path) {
  return store.read_file(image, "exports/" + path, render::template_size_limit);
}

/// @return all variables that templates of the image use
std::set<std::string> used_variables(const store::Store& store, const store::StoredImage& image,
                                     const render::ExportsManifest& manifest) {
  std::vector<std::string> files{"service.template", "tmpfiles.template"};
  if (!read_export(store, image, "config.json")) {
    files.emplace_back("config.json.template");
  }
  for (const auto& path : manifest.installed_files_template) {
    files.push_back("hostfs/" + path);
  }
  std::set<std::string> used;
  for (const auto& file : files) {
    if (const auto text = read_export(store, image, file)) {
      const auto variables = render::variables_in(*text);
      used.insert(variables.begin(), variables.end());
    }
  }
  for (const auto& [from, to] : manifest.rename_files) {
    const auto variables = render::variables_in(to);
    used.insert(variables.begin(), variables.end());
  }
  return used;
}

void describe_variables(Context& context, const store::Store& store, ImageDescription& description) {
  render::ExportsManifest manifest;
  if (const auto text = read_export(store, description.image, "manifest.json")) {
    manifest = render::parse_exports_manifest(*text, context.reporter);
  }
  // UUID is the one variable whose default value overrides that of berth (docs/system-containers.md, "Template
  // variables").
  const auto provided = render::merge_values({}, {}, {});
  for (const auto& [name, value] : manifest.default_values) {
    if (!provided.contains(name) || name == "UUID") {
      description.defaults.emplace(name, value);
    }
  }
  for (const auto& name : used_variables(store, description.image, manifest)) {
    if (description.defaults.contains(name)) {
      continue;
    }
    (provided.contains(name) ? description.provided : description.required).push_back(name);
  }
}

}  // namespace

ImageDescription describe_image(Context& context, const std::string& text) {
  const auto store = open_images(context, text);
  ImageDescription description;
  description.image = choose_image(context, store, text);
  description.image.config = store.config_of(description.image);
  description.labels = labels_of(description.image);
  describe_variables(context, store, description);
  return description;
}

base::Json to_json(const ImageDescription& description) {
  return {{"image", description.image.name},
          {"imageId", description.image.id},
          {"created", rfc3339(description.image.created)},
          {"labels", description.labels},
          {"defaults", description.defaults},
          {"required", description.required},
          {"providedByBerth", description.provided}};
}

}  // namespace berth::ops
