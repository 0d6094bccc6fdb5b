// SPDX-License-Identifier: LGPL-2.1-or-later
// Images in the archives of `docker save`, `podman save` and `skopeo copy ... docker-archive:` (Docker image
// specification 1.2).
#pragma once

#include <map>
#include <memory>
#include <stop_token>
#include <string>
#include <vector>

#include "image/image_source.hpp"
#include "source/archive/tar_file.hpp"

namespace berth::source {

/// Such an archive has no manifest as registries have it. One is generated from the configuration and the layers, which
/// is the same for the same image however the archive was written: all layers are uncompressed, so that their digests
/// are the diff ids.
class DockerArchiveSource final : public image::ImageSource {
 public:
  /// Reads manifest.json and picks the image that `reference.selector` names, or the only one.
  /// @throws Error naming the images in the archive
  explicit DockerArchiveSource(const image::Reference& reference, const std::stop_token& stop = {});
  /// As above, for an open archive.
  DockerArchiveSource(const image::Reference& reference, TarFile file, std::stop_token stop);

  [[nodiscard]] const image::ImageName& name() const override { return name_; }
  image::ResolvedManifest resolve(const image::Platform& platform) override;
  std::unique_ptr<base::ByteStream> open_blob(const image::Descriptor& descriptor) override;
  [[nodiscard]] std::int64_t packed_size(const image::Descriptor& descriptor) const override;

 private:
  struct Entry {
    std::string config;  // member names
    std::vector<std::string> layers;
    std::vector<image::ImageName> names;
  };

  static std::vector<Entry> read_entries(const TarFile& file, image::Naming naming);
  [[nodiscard]] std::unique_ptr<base::ByteStream> open_member(const std::string& name) const;
  [[nodiscard]] std::unique_ptr<base::ByteStream> open_layer(const std::string& name) const;
  [[nodiscard]] std::int64_t unpacked_size(const std::string& name) const;
  void pick(const std::vector<Entry>& entries, const image::Reference& reference);
  void read_image();

  std::stop_token stop_;
  TarFile file_;
  Entry entry_;
  image::ImageName name_;
  std::string config_;  // exact text
  std::vector<image::Descriptor> layers_;
  std::map<base::Digest, std::string> layer_of_;  // diff id → member name
};

}  // namespace berth::source
