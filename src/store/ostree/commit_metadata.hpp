// SPDX-License-Identifier: LGPL-2.1-or-later
// The metadata of commits. `atomic` defined the keys beginning with `docker.` (docs/system-containers.md, "What is kept
// on the host"); berth adds those beginning with `berth.`, which commits of other tools lack.
#pragma once

#include <cstdint>
#include <string>

#include "store/ostree/glib.hpp"
#include "store/tree/layer_tree.hpp"

namespace berth::store {

/// Metadata of a layer's commit.
struct LayerMetadata {
  std::int64_t packed_size = 0;     ///< `docker.size`: bytes of the blob, as decimal text
  std::string diff_id;              ///< `berth.diff_id`: digest of the unpacked archive; empty when unknown
  std::uint64_t unpacked_size = 0;  ///< `berth.size`: bytes of all files
  std::uint64_t skipped_nodes = 0;  ///< `berth.skipped`: device nodes, fifos and sockets left out
  LowerLinks links;                 ///< `berth.links`: hard links to lower layers, path → target
};

/// Where the name of an image comes from.
enum class Origin {
  unknown,   ///< stored by `atomic`, or by a version of berth that did not record it
  registry,  ///< the registry in the name
  file,      ///< a layout, an archive or a daemon: the name is the file's, or the user's choice
};

/// Metadata of an image's commit.
struct ImageMetadata {
  std::string manifest;             ///< `docker.manifest`: the exact text
  std::string digest;               ///< `docker.digest`: of that text
  std::string config;               ///< `berth.config`: the exact image configuration; empty when unknown
  std::uint64_t unpacked_size = 0;  ///< `berth.size`: of all layers
  bool merged = false;              ///< `berth.merged`: the commit's tree is the whole image
  Origin origin = Origin::unknown;  ///< `berth.origin`: `registry` or `file`
};

/// @throws Error(verification) for text that is not UTF-8
VariantPtr to_variant(const LayerMetadata& metadata);
VariantPtr to_variant(const ImageMetadata& metadata);

/// Read leniently: absent keys and keys of other types are left at their defaults.
LayerMetadata layer_metadata(GVariant* metadata);
ImageMetadata image_metadata(GVariant* metadata);

/// Whether berth or `atomic` wrote this commit; other tools may keep theirs in the same repository.
bool is_our_commit(GVariant* metadata);

}  // namespace berth::store
