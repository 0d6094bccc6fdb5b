// SPDX-License-Identifier: LGPL-2.1-or-later
// The layers of an image that are not stored yet, several at once.
#pragma once

#include <cstdint>
#include <vector>

#include "image/image_source.hpp"
#include "store/layer/layer_import.hpp"
#include "store/ostree/options.hpp"
#include "store/ostree/repository.hpp"

namespace berth::store {

/// A layer that is stored.
struct FetchedLayer {
  base::Digest digest;
  Checksum commit;
  std::int64_t packed_size = 0;  ///< bytes
  bool fetched = false;          ///< false: it was stored before
};

struct FetchResult {
  std::vector<FetchedLayer> layers;  ///< each digest once, in the order of the request
};

/// Imports the missing layers into the open transaction, with up to `options.parallel_layers` threads. The first
/// failure stops the other threads and is thrown.
/// @throws Error(verification) also when a stored layer was made from bytes with another digest than `diff_id`
FetchResult fetch_layers(const Repository& repository, image::ImageSource& source,
                         const std::vector<LayerRequest>& wanted, const StoreOptions& options);

}  // namespace berth::store
