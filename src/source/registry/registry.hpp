// SPDX-License-Identifier: LGPL-2.1-or-later
// Images in a registry.
#pragma once

#include <memory>

#include "image/image_source.hpp"
#include "source/registry/registry_client.hpp"

namespace berth::source {

/// Reads one image over distribution-spec 1.1. No request is sent before resolve.
class RegistrySource final : public image::ImageSource {
 public:
  RegistrySource(const image::Reference& reference, const SourceOptions& options);

  [[nodiscard]] const image::ImageName& name() const override { return name_; }
  [[nodiscard]] bool from_registry() const override { return true; }
  image::ResolvedManifest resolve(const image::Platform& platform) override;
  std::unique_ptr<base::ByteStream> open_blob(const image::Descriptor& descriptor) override;

 private:
  struct Document {
    std::string text;
    std::string media_type;
    base::Digest digest;
  };

  Document fetch(const std::string& reference, const std::optional<base::Digest>& expected, const std::string& what);
  [[noreturn]] void refuse_unknown(const HttpResponse& response);
  std::vector<std::string> tags();
  image::ResolvedManifest resolve_entry(const image::Descriptor& entry, const image::Platform& platform,
                                        bool index_allowed);

  const image::ImageName name_;
  RegistryClient client_;
};

}  // namespace berth::source
