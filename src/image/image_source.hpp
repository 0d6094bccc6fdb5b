// SPDX-License-Identifier: LGPL-2.1-or-later
// The interface to a source of images.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "base/byte_stream.hpp"
#include "base/digest.hpp"
#include "image/manifest.hpp"
#include "image/reference.hpp"

namespace berth::image {

/// The manifest chosen for a platform, with the exact bytes it was parsed from.
struct ResolvedManifest {
  std::string text;     ///< exact bytes, so that the stored and shown text is the verified one
  base::Digest digest;  ///< of `text`
  Manifest manifest;
};

/// One image of one source. open_blob may be called by several threads at once; resolve may not.
class ImageSource {
 public:
  virtual ~ImageSource() = default;

  /// The canonical name under which this image is to be stored.
  [[nodiscard]] virtual const ImageName& name() const = 0;

  /// Whether the image comes from the registry in its name. Otherwise it comes from a file or a daemon, and the name is
  /// chosen by the file or the user.
  [[nodiscard]] virtual bool from_registry() const { return false; }

  /// Fetches the manifest (through an index when there is one) for `platform`.
  virtual ResolvedManifest resolve(const Platform& platform) = 0;

  /// Opens a blob of this image: its raw bytes, whose digest and size are verified at the end.
  /// The stream must not outlive the source.
  virtual std::unique_ptr<base::ByteStream> open_blob(const Descriptor& descriptor) = 0;

  /// Size of a blob in its source in bytes, at most its own size; the limit of its unpacked size depends on it.
  [[nodiscard]] virtual std::int64_t packed_size(const Descriptor& descriptor) const { return descriptor.size; }
};

}  // namespace berth::image
