// SPDX-License-Identifier: LGPL-2.1-or-later
// Determines the image that an installed container is updated to.
#pragma once

#include <map>
#include <optional>
#include <string>

#include "host/state/deployment.hpp"
#include "ops/context.hpp"

namespace berth::ops {

/// The options of an update that select the image.
struct ImageSelection {
  std::string rebase;  ///< --rebase [SOURCE:]IMAGE; empty: the image it has
  bool pull = true;    ///< false: --no-pull, use the stored image
  std::string authfile;
  std::string platform;
};

struct ChosenImage {
  store::StoredImage image;
  bool local = false;  ///< it came from a layout or an archive
};

/// Queries each registry once for each image, however many containers use it.
///
/// Images from a layout or an archive have no registry, and neither have images whose registry is `localhost` without a
/// port, which is the registry that berth gives such images. For these, the stored image of that name is used, as with
/// --no-pull.
class UpdateResolver {
 public:
  explicit UpdateResolver(Context& context) : context_(context) {}

  /// Determines the image, and fetches it into the store.
  /// @throws Error(not_found) when it must already be stored and is not
  ChosenImage choose(const host::DeploymentInfo& info, const ImageSelection& request);
  store::Store& store();
  /// Closes the store, so that prunes need not wait. The chosen image must be in use by a deployment then.
  void release() { store_.reset(); }

  /// Whether a registry is queried for the image of a container.
  static bool has_registry(const host::DeploymentInfo& info);

 private:
  ChosenImage stored(const image::ImageName& name, bool local);

  Context& context_;
  std::optional<store::Store> store_;

  struct Resolved {
    image::ImageName name;
    bool local = false;
  };
  std::map<std::string, Resolved> resolved_;  ///< by reference
};

/// @return the name of a container's image, as it is stored. `atomic` omitted the registry docker.io and the tag
/// `latest`.
image::ImageName image_name_of(const host::DeploymentInfo& info);

/// Whether a deployment is of this image under this name. `atomic` recorded the digest of the manifest as the ID.
bool is_of_image(const host::DeploymentInfo& info, const store::StoredImage& image);

}  // namespace berth::ops
