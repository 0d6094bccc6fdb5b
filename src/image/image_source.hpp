// Where an image comes from, seen from those who import it.
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
  std::string text;     ///< exact bytes; what is stored and shown is what was verified
  base::Digest digest;  ///< of `text`
  Manifest manifest;
};

/// One image at one place. open_blob may be called from several threads at once; resolve may not.
class ImageSource {
 public:
  virtual ~ImageSource() = default;

  /// The canonical name under which this image is to be stored.
  [[nodiscard]] virtual const ImageName& name() const = 0;

  /// Whether the registry in the name gives the image. If not, it comes from a file or a daemon, and the name is the
  /// file's or the user's choice.
  [[nodiscard]] virtual bool from_registry() const { return false; }

  /// Fetches the manifest (through an index when there is one) for `platform`.
  virtual ResolvedManifest resolve(const Platform& platform) = 0;

  /// Opens a blob of this image: its raw bytes, verified at the end against digest and size.
  /// The stream must not outlive the source.
  virtual std::unique_ptr<base::ByteStream> open_blob(const Descriptor& descriptor) = 0;

  /// How many bytes a blob takes where it comes from, at most its size: what it may become is measured by that.
  [[nodiscard]] virtual std::int64_t packed_size(const Descriptor& descriptor) const { return descriptor.size; }
};

}  // namespace berth::image
