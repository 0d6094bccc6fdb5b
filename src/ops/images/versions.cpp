// SPDX-License-Identifier: LGPL-2.1-or-later
#include "ops/images/versions.hpp"

#include "ops/images/image_lookup.hpp"
#include "ops/result_json.hpp"

namespace berth::ops {

namespace {

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

std::vector<ImageVersion> image_versions(Context& context, const std::vector<std::string>& texts) {
  std::vector<ImageVersion> versions;
  if (texts.empty()) {
    const auto store = store::Store::open_existing(store_options(context));
    for (const auto& image : store ? store->images(false) : std::vector<store::StoredImage>()) {
      versions.push_back(version_of(image));
    }
    return versions;
  }
  const auto store = open_images(context, texts.front());
  for (const auto& text : texts) {
    versions.push_back(version_of(choose_image(context, store, text)));
  }
  return versions;
}

base::Json to_json(const std::vector<ImageVersion>& versions) {
  auto list = base::Json::array();
  for (const auto& version : versions) {
    list.push_back({{"image", version.name}, {"imageId", version.id}, {"version", or_null(version.version)}});
  }
  return {{"images", std::move(list)}};
}

}  // namespace berth::ops
