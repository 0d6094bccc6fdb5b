// Which image an installed container is updated to.
#pragma once

#include <map>
#include <optional>
#include <string>

#include "host/state/deployment.hpp"
#include "ops/context.hpp"

namespace berth::ops {

/// What an update says about the image.
struct ImageSelection {
  std::string rebase;  ///< --rebase [SOURCE:]IMAGE; empty: the image it has
  bool pull = true;    ///< false: --no-pull, what is stored decides
  std::string authfile;
  std::string platform;
};

struct ChosenImage {
  store::StoredImage image;
  bool local = false;  ///< it came from a layout or archive
};

/// Asks each registry once for each image, however many containers use it.
///
/// The registry is asked for an image that was installed by its name. One that came from a layout or archive, and one
/// whose registry is `localhost` without a port, which is what berth calls images from there, has no registry: what is
/// stored under its name decides, as with --no-pull.
class UpdateResolver {
 public:
  explicit UpdateResolver(Context& context) : context_(context) {}

  /// The image, which is stored then. @throws Error, not_found when it must be stored and is not
  ChosenImage choose(const host::DeploymentInfo& info, const ImageSelection& request);
  store::Store& store();
  /// Lets go of the store, and so of what keeps prunes waiting; what was chosen has to be in use by then.
  void release() { store_.reset(); }

  /// Whether a registry is asked about the image of a container.
  static bool has_registry(const host::DeploymentInfo& info);

 private:
  ChosenImage stored(const image::ImageName& name, bool local);

  Context& context_;
  std::optional<store::Store> store_;

  struct Asked {
    image::ImageName name;
    bool local = false;
  };
  std::map<std::string, Asked> asked_;  ///< by reference
};

/// The name of a container's image, as it is stored. Older tools left Docker Hub's registry and the tag `latest` out.
image::ImageName image_name_of(const host::DeploymentInfo& info);

/// Whether a deployment is of this very image under this name. Older tools took the manifest's digest for the id.
bool is_of_image(const host::DeploymentInfo& info, const store::StoredImage& image);

}  // namespace berth::ops
