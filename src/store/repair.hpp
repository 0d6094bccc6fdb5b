// SPDX-License-Identifier: LGPL-2.1-or-later
// Replacement of damaged objects, in the store and in the checkouts that share them.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "image/image_source.hpp"
#include "store/ostree/options.hpp"
#include "store/requests.hpp"

namespace berth::store {

struct RepairRequest {
  image::Platform platform;
  /// Called when something has to be fetched.
  std::function<std::unique_ptr<image::ImageSource>()> open_source;
  /// Called when all objects are good.
  std::function<std::vector<CheckedOut>()> checkouts;
};

struct MendedCheckout {
  std::string path;
  std::vector<std::string> files;  ///< absolute in the image
};

struct RepairReport {
  std::size_t damaged = 0;  ///< objects that were damaged or missing
  std::size_t layers = 0;   ///< fetched again
  std::vector<MendedCheckout> mended;
};

/// Fetches the layers that contain damaged objects of `image` into a temporary repository, with all checks of a pull,
/// and renames good objects over damaged ones. Directories that exist in the merged tree alone are written again. Then
/// each file of the image's complete `checkouts` that differs from the commit is atomically replaced by a link to the
/// good object; of incomplete checkouts, each file that shared a damaged object. A process that has a damaged file open
/// keeps it until it closes it.
/// @throws Error(conflict) when the source offers another image now, Error(verification) when a damaged object cannot
///   be restored
RepairReport repair_image(const StoreOptions& options, const StoredImage& image, const RepairRequest& request);

}  // namespace berth::store
