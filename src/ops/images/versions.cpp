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

base::Json to_json(const std::vector<ImageVersion>& versions) {
  auto list = base::Json::array();
  for (const auto& version : versions) {
    list.push_back({{"image", version.name}, {"imageId", version.id}, {"version", or_null(version.version)}});
  }
  return {{"images", std::move(list)}};
}

}  // namespace berth::ops
