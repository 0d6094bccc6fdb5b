// One pull: what is missing is fetched, and the image's branch names the merged tree.
#pragma once

#include "image/image_source.hpp"
#include "store/ostree/options.hpp"
#include "store/ostree/repository.hpp"
#include "store/requests.hpp"

namespace berth::store {

/// As Store::pull.
PullResult pull_image(const Repository& repository, const StoreOptions& options, image::ImageSource& source,
                      const image::Platform& platform);

/// Fetches an image once more of which the commit, or a layer's, is damaged or missing, with the layers that are. What
/// is damaged stays until all is there, and is then replaced by renames.
/// @throws Error(conflict) having changed nothing when another commit comes out
PullResult pull_again(const Repository& repository, const StoreOptions& options, image::ImageSource& source,
                      const image::Platform& platform, const StoredImage& damaged);

/// Fetches the configuration. @throws Error(verification) unless it has a diff id for each layer of `manifest`
image::ImageConfig read_image_config(image::ImageSource& source, const image::Manifest& manifest);

/// For an image whose commit is not the merged tree: merges the stored layers and moves the branch to a commit that
/// keeps the manifest and its digest under the same keys, so that older tools go on reading both.
/// @param replaced directories and commits of the merged tree that are damaged
/// @throws Error(not_found) naming a layer that is not stored
StoredImage merge_stored(const Repository& repository, const StoreOptions& options, const StoredImage& image,
                         const ReplacedObjects& replaced = {});

}  // namespace berth::store
