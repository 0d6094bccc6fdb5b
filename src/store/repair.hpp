// Replacing damaged objects by good ones, in the store and in the checkouts that share them.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "image/image_source.hpp"
#include "store/store.hpp"

namespace berth::store {

/// A checkout of a commit, at `path`, a folder on this machine.
struct CheckedOut {
  std::string commit;
  std::string path;
};

struct RepairRequest {
  image::Platform platform;
  /// Asked under the repository's exclusive lock.
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
/// and renames good objects over damaged ones; folders that only the merged tree has are made again. Then each file of
/// `checkouts` that is not what the commit says is replaced by a link to the good object, atomically. Other files of
/// the checkouts are not looked at. Whoever has a damaged file open keeps it until closing it.
/// @throws Error(conflict) when `source` has another image now, Error(verification) when something cannot be had again
RepairReport repair_image(const StoreOptions& options, const StoredImage& image, image::ImageSource& source,
                          const RepairRequest& request);

}  // namespace berth::store
