// SPDX-License-Identifier: LGPL-2.1-or-later
// One pull: fetches the missing layers and sets the image's branch to the merged tree.
#pragma once

#include "image/image_source.hpp"
#include "store/ostree/options.hpp"
#include "store/ostree/repository.hpp"
#include "store/requests.hpp"

namespace berth::store {

/// As Store::pull.
PullResult pull_image(const Repository& repository, const StoreOptions& options, image::ImageSource& source,
                      const image::Platform& platform);

/// Fetches again an image whose commit, or the commit of a layer, is damaged or missing, with the layers concerned.
/// Damaged objects stay until all replacements are complete, and are then replaced by renames.
/// @throws Error(conflict) when the result is another commit; then nothing was changed
PullResult pull_again(const Repository& repository, const StoreOptions& options, image::ImageSource& source,
                      const image::Platform& platform, const StoredImage& damaged);

/// Fetches the configuration. @throws Error(verification) unless it has a diff id for each layer of `manifest`
image::ImageConfig read_image_config(image::ImageSource& source, const image::Manifest& manifest);

/// For an image whose commit is not the merged tree: merges the stored layers and moves the branch to a commit that
/// keeps the manifest and its digest under the same keys, so that `atomic` can still read both.
/// @param replaced directories and commits of the merged tree that are damaged
/// @throws Error(not_found) naming a layer that is not stored
StoredImage merge_stored(const Repository& repository, const StoreOptions& options, const StoredImage& image,
                         const ReplacedObjects& replaced = {});

}  // namespace berth::store
