// Replacing damaged objects by good ones, in the store and in the checkouts that share them.
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
  /// Asked when all objects are good.
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

/// Fetches the layers that hold damaged objects of `image` into a repository of their own, verified as in every pull,
/// and renames good objects over damaged ones; directories that only the merged tree has are made again. Then whatever
/// of the image's whole `checkouts` is not what the commit says is replaced by a link to the good object, atomically;
/// of the others, what shared a damaged object. Whoever has a damaged file open keeps it until closing it.
/// @throws Error(conflict) when the source has another image now, Error(verification) when something cannot be had
/// again
RepairReport repair_image(const StoreOptions& options, const StoredImage& image, const RepairRequest& request);

}  // namespace berth::store
