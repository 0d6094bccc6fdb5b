// SPDX-License-Identifier: LGPL-2.1-or-later
// Branches and commits read back as images and layers.
#pragma once

#include <cstdint>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "image/manifest.hpp"
#include "store/ostree/commit_metadata.hpp"
#include "store/ostree/refs.hpp"
#include "store/ostree/repository.hpp"
#include "store/requests.hpp"
#include "store/tree/merge.hpp"

namespace berth::store {

/// Reads the commit of an image. `layers` and `id` come from the manifest, and stay empty when it is of schema 1.
StoredImage describe_image(const Branch& branch, const Commit& commit);
/// The image as far as its branch name describes it, for a commit that cannot be read.
StoredImage describe_name(const Branch& branch);
StoredImage describe_layer(const Branch& branch, const Commit& commit);

/// The manifest of a stored image. @throws Error(verification) for schema 1 and damaged text
image::Manifest stored_manifest(const StoredImage& image);

/// The image configuration; empty when it is not stored. `atomic` keeps it as the file `content` of a commit that is
/// named like a layer.
std::string stored_config(const Repository& repository, const StoredImage& image);

/// A stored layer for merging, of berth or of `atomic`.
StoredLayer load_layer(const Repository& repository, const std::string& hex, const Checksum& commit);

/// The layers of an image that `atomic` stored, lowest first.
/// @throws Error(not_found) when one is not stored, Error(verification) as stored_manifest
std::vector<StoredLayer> load_layers(const Repository& repository, const StoredImage& image);

/// As Repository::read_file, from the merged tree of the layers, which is not stored.
std::optional<std::string> read_unmerged_file(const Repository& repository, const StoredImage& image,
                                              const std::string& path, std::uint64_t limit,
                                              const std::stop_token& stop);

/// Stacks `layers`, lowest first, writes the merged directories into the open transaction, and the commit.
Checksum commit_merged(const Repository& repository, const std::vector<StoredLayer>& layers,
                       const ImageMetadata& metadata, std::int64_t created, const std::stop_token& stop);

}  // namespace berth::store
