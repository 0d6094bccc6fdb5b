// SPDX-License-Identifier: LGPL-2.1-or-later
// A small image, as the documents and blobs of a source.
#pragma once

#include <map>
#include <string>

#include "base/digest.hpp"
#include "base/json.hpp"

namespace berth::test {

/// An image of one layer; all texts depend on `seed`.
struct SampleImage {
  explicit SampleImage(const std::string& seed = "a", std::size_t layer_size = 100'000,
                       const std::string& architecture = "amd64") {
    while (layer.size() < layer_size) {
      layer += seed + std::to_string(layer.size()) + "\n";
    }
    layer.resize(layer_size);
    config = base::Json{{"architecture", architecture},
                        {"os", "linux"},
                        {"rootfs", {{"type", "layers"}, {"diff_ids", {digest(layer)}}}}}
                 .dump();
    manifest = base::Json{{"schemaVersion", 2},
                          {"mediaType", manifest_type},
                          {"config", descriptor("application/vnd.oci.image.config.v1+json", config)},
                          {"layers", base::Json::array({descriptor("application/vnd.oci.image.layer.v1.tar", layer)})}}
                   .dump();
  }

  static std::string digest(const std::string& bytes) { return base::digest_of(bytes).text(); }
  static base::Json descriptor(const std::string& type, const std::string& bytes) {
    return {{"mediaType", type}, {"digest", digest(bytes)}, {"size", bytes.size()}};
  }
  [[nodiscard]] base::Json entry(const std::string& architecture = "") const {
    auto json = descriptor(manifest_type, manifest);
    if (!architecture.empty()) {
      json["platform"] = {{"os", "linux"}, {"architecture", architecture}};
    }
    return json;
  }

  static constexpr auto manifest_type = "application/vnd.oci.image.manifest.v1+json";
  static constexpr auto index_type = "application/vnd.oci.image.index.v1+json";
  std::string layer;
  std::string config;
  std::string manifest;
};

inline std::string index_of(const base::Json& entries) {
  return base::Json{{"schemaVersion", 2}, {"mediaType", SampleImage::index_type}, {"manifests", entries}}.dump();
}

}  // namespace berth::test
