// One pull: what is missing is fetched, and the image's branch names the merged tree.
#pragma once

#include "image/image_source.hpp"
#include "store/repository.hpp"
#include "store/store.hpp"

namespace berth::store {

/// As Store::pull.
PullResult pull_image(const Repository& repository, const StoreOptions& options, image::ImageSource& source,
                      const image::Platform& platform);

/// Fetches the configuration. @throws Error(verification) unless it has a diff id for each layer of `manifest`
image::ImageConfig read_image_config(image::ImageSource& source, const image::Manifest& manifest);

/// For an image whose commit is not the merged tree: merges the stored layers and moves the branch to a commit that
/// keeps the manifest and its digest under the same keys, so that older tools go on reading both.
/// @throws Error(not_found) naming a layer that is not stored
StoredImage merge_stored(const Repository& repository, const StoreOptions& options, const StoredImage& image);

}  // namespace berth::store
