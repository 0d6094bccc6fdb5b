// SPDX-License-Identifier: LGPL-2.1-or-later
// Indexes, manifests and configurations of images, with every media type.
#include "base/json.hpp"
#include "harness.hpp"
#include "image/manifest.hpp"

namespace {

using namespace berth;

void check_descriptor(const image::Descriptor& descriptor) {
  fuzz::require(descriptor.size >= 0, "a size is not negative");
  fuzz::require(base::Digest::parse(descriptor.digest.text()) == descriptor.digest, "a digest is parsed again");
}

void check_index(const image::Index& index) {
  fuzz::require(index.manifests.size() <= image::index_entry_limit, "an index is bounded");
  for (const auto& entry : index.manifests) {
    check_descriptor(entry);
  }
  for (const image::Platform& wanted : {image::Platform{"linux", "amd64", ""}, image::Platform{"linux", "arm", "v7"}}) {
    fuzz::accepted([&] {
      const auto& chosen = image::choose_platform(index, wanted, "fuzz");
      fuzz::require(!chosen.platform || image::runs_on(*chosen.platform, wanted),
                    "the chosen image runs on the wanted platform");
      return true;
    });
  }
}

void check_manifest(const image::Manifest& manifest) {
  check_descriptor(manifest.config);
  fuzz::require(static_cast<std::uint64_t>(manifest.config.size) <= base::json_size_limit, "a config is bounded");
  fuzz::require(manifest.layers.size() <= image::layer_count_limit, "the layers are bounded");
  for (const auto& layer : manifest.layers) {
    check_descriptor(layer);
    (void)image::layer_compression(layer);  // every layer of an accepted manifest can be unpacked
  }
}

void check_parsed(std::string_view text, std::string_view media_type) {
  const auto parsed = fuzz::accepted([&] { return image::parse_manifest(text, media_type, "fuzz"); });
  if (!parsed) {
    return;
  }
  if (const auto* index = std::get_if<image::Index>(&*parsed)) {
    check_index(*index);
  } else {
    check_manifest(std::get<image::Manifest>(*parsed));
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto text = fuzz::text_of(data, size);
  check_parsed(text, "");
  for (const auto& media_type : image::manifest_media_types()) {
    check_parsed(text, media_type);
  }
  if (const auto index = fuzz::accepted([&] { return image::parse_layout_index(text, "fuzz"); })) {
    fuzz::require(index->manifests.size() <= image::index_entry_limit, "an index is bounded");
  }
  if (const auto config = fuzz::accepted([&] { return image::parse_image_config(text, "fuzz"); })) {
    fuzz::require(config->diff_ids.size() <= image::layer_count_limit, "the layers are bounded");
  }
  if (const auto json = fuzz::accepted([&] { return base::parse_json(text, "fuzz"); })) {
    fuzz::require(base::parse_json(json->dump(), "fuzz") == *json, "a document written out is read the same");
  }
  return 0;
}
