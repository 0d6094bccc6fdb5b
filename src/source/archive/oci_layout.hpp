// SPDX-License-Identifier: LGPL-2.1-or-later
// Images in an OCI image layout (image-spec 1.1), as a directory or as a tar archive of one.
#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>
#include <limits>
#include <memory>
#include <stop_token>
#include <string>
#include <vector>

#include "image/image_source.hpp"

namespace berth::source {

/// The files of a layout.
struct LayoutFiles {
  std::string path;  ///< of the directory or archive, for messages
  /// Opens a regular file of the layout; nullptr when it does not exist. Called from several threads at once.
  std::function<std::unique_ptr<base::ByteStream>(const std::string& name)> open;
  std::int64_t packed_size = std::numeric_limits<std::int64_t>::max();  ///< of an archive; a directory has none
};

/// Opens the directory; files in it are opened beneath it, without following links. @throws Error
LayoutFiles open_layout_directory(const std::string& path);

/// Opens an archive. @throws Error
LayoutFiles open_layout_archive(const std::string& path, const std::stop_token& stop = {});

class OciLayoutSource final : public image::ImageSource {
 public:
  /// Reads oci-layout and index.json and picks the entry that `reference.selector` names by its annotation
  /// `org.opencontainers.image.ref.name`, or the only one. @throws Error naming the entries there are
  OciLayoutSource(const image::Reference& reference, LayoutFiles files);

  [[nodiscard]] const image::ImageName& name() const override { return name_; }
  image::ResolvedManifest resolve(const image::Platform& platform) override;
  std::unique_ptr<base::ByteStream> open_blob(const image::Descriptor& descriptor) override;
  [[nodiscard]] std::int64_t packed_size(const image::Descriptor& descriptor) const override {
    return std::min(descriptor.size, files_.packed_size);
  }

 private:
  void pick(const image::Index& index, const std::string& selector);
  std::string read_document(const image::Descriptor& descriptor, const std::string& what);
  image::ResolvedManifest read_manifest(const image::Descriptor& descriptor, const image::Platform& platform,
                                        int indexes_allowed);

  LayoutFiles files_;
  image::ImageName name_;
  std::vector<image::Descriptor> entries_;  // one, or several of the same name for different platforms
};

}  // namespace berth::source
