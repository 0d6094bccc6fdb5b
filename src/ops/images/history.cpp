// SPDX-License-Identifier: LGPL-2.1-or-later
#include "ops/images/history.hpp"

#include <algorithm>
#include <map>

#include "base/json.hpp"
#include "ops/images/image_lookup.hpp"
#include "ops/result_json.hpp"

namespace berth::ops {

namespace {

/// @return the steps in the configuration, oldest first, without `layer` and `size`
/// @param made_layer gets, for each step, whether it made a layer
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

}  // namespace

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

base::Json to_json(const std::vector<HistoryEntry>& entries) {
  auto list = base::Json::array();
  for (const auto& entry : entries) {
    list.push_back({{"created", entry.created},
                    {"createdBy", entry.created_by},
                    {"comment", entry.comment},
                    {"layer", or_null(entry.layer)},
                    {"size", entry.size}});
  }
  return {{"history", std::move(list)}};
}

}  // namespace berth::ops
