#include "ops/images/image_query.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "base/error.hpp"
#include "base/json.hpp"
#include "ops/images/image_lookup.hpp"
#include "render/exports/exports.hpp"
#include "render/template/template.hpp"
#include "render/template/values.hpp"

namespace berth::ops {

namespace {

std::map<std::string, std::string> labels_of(const store::StoredImage& image) {
  return image.config.empty() ? std::map<std::string, std::string>()
                              : image::parse_image_config(image.config, "the configuration of " + image.name).labels;
}

std::optional<std::string> read_export(const store::Store& store, const store::StoredImage& image,
                                       const std::string& path) {
  return store.read_file(image, "exports/" + path, render::template_size_limit);
}

/// Every variable that a template of the image uses.
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
  // UUID is the one variable whose default wins over what the tool sets (contract, section 2).
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

/// Steps of the configuration, oldest first; `layer` and `size` are left empty.
std::vector<HistoryEntry> steps_of(const store::StoredImage& image, std::vector<bool>& made_layer) {
  std::vector<HistoryEntry> steps;
  if (image.config.empty()) {
    return steps;
  }
  const std::string document = "the configuration of " + image.name;
  const auto json = base::parse_json(image.config, document);
  if (const auto history = base::JsonView(json, document).find("history")) {
    for (const auto& entry : history->as_array()) {
      steps.push_back(
          {entry.string_or("created", ""), entry.string_or("created_by", ""), entry.string_or("comment", ""), "", 0});
      made_layer.push_back(!entry.bool_or("empty_layer", false));
    }
  }
  return steps;
}

ImageVersion version_of(const store::StoredImage& image) {
  const auto labels = labels_of(image);
  const auto label = [&labels](const std::string& lower, const std::string& upper) {
    const auto found = labels.contains(lower) ? labels.find(lower) : labels.find(upper);
    return found == labels.end() ? std::string() : found->second;
  };
  const auto version = label("version", "Version");
  const auto release = label("release", "Release");
  return {image.name, image.id, version.empty() || release.empty() ? version : version + "-" + release};
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

std::vector<HistoryEntry> image_history(Context& context, const std::string& text) {
  const auto store = open_images(context, text);
  const auto image = choose_image(context, store, text);
  std::map<std::string, std::int64_t> sizes;
  for (const auto& layer : store.images(true)) {
    if (layer.name.empty()) {
      sizes.emplace(layer.id, layer.size);
    }
  }
  std::vector<bool> made_layer;
  auto steps = steps_of(image, made_layer);
  std::size_t next = 0;
  for (std::size_t i = 0; i < steps.size() && next < image.layers.size(); ++i) {
    if (made_layer[i]) {
      steps[i].layer = image.layers[next++];
    }
  }
  for (; next < image.layers.size(); ++next) {
    steps.push_back({"", "", "", image.layers[next], 0});
  }
  for (auto& step : steps) {
    const auto size = sizes.find(step.layer);
    step.size = size == sizes.end() ? 0 : size->second;
  }
  std::reverse(steps.begin(), steps.end());
  return steps;
}

std::vector<ImageVersion> image_versions(Context& context, const std::vector<std::string>& texts) {
  const auto store = store::Store::open_existing(store_options(context));
  std::vector<ImageVersion> versions;
  if (texts.empty() && store) {
    for (const auto& image : store->images(false)) {
      versions.push_back(version_of(image));
    }
  }
  for (const auto& text : texts) {
    versions.push_back(version_of(choose_image(context, open_images(context, text), text)));
  }
  return versions;
}

}  // namespace berth::ops
