// SPDX-License-Identifier: LGPL-2.1-or-later
#include "store/ostree/commit_metadata.hpp"

#include <gtest/gtest.h>

#include "base/error.hpp"

namespace berth::store {
namespace {

TEST(CommitMetadata, LayersAreReadAsWritten) {
  const LayerMetadata metadata{123, "sha256:ab", 4'000'000'000, 7, {{"a", "b"}, {"c/d", "größe"}}};
  const auto back = layer_metadata(to_variant(metadata).get());
  EXPECT_EQ(back.packed_size, 123);
  EXPECT_EQ(back.diff_id, "sha256:ab");
  EXPECT_EQ(back.unpacked_size, 4'000'000'000U);
  EXPECT_EQ(back.skipped_nodes, 7U);
  EXPECT_EQ(back.links, metadata.links);
}

TEST(CommitMetadata, ImagesAreReadAsWritten) {
  const auto back = image_metadata(to_variant(ImageMetadata{"{ }\n", "sha256:cd", "{}", 5, true}).get());
  EXPECT_EQ(back.manifest, "{ }\n");
  EXPECT_EQ(back.digest, "sha256:cd");
  EXPECT_EQ(back.config, "{}");
  EXPECT_EQ(back.unpacked_size, 5U);
  EXPECT_TRUE(back.merged);
}

TEST(CommitMetadata, ReadsMetadataOfAtomic) {
  GVariantDict dict;
  g_variant_dict_init(&dict, nullptr);
  g_variant_dict_insert(&dict, "docker.size", "t", guint64{42});
  g_variant_dict_insert(&dict, "berth.merged", "s", "yes");
  g_variant_dict_insert(&dict, "docker.manifest", "u", 1U);
  const auto metadata = own(g_variant_dict_end(&dict));
  EXPECT_EQ(layer_metadata(metadata.get()).packed_size, 42);
  EXPECT_TRUE(layer_metadata(metadata.get()).links.empty());
  EXPECT_FALSE(image_metadata(metadata.get()).merged);
  EXPECT_EQ(image_metadata(metadata.get()).manifest, "");
}

TEST(CommitMetadata, RefusesMetadataThatOstreeCannotStore) {
  EXPECT_THROW(to_variant(ImageMetadata{"caf\xe9", "", "", 0, true}), base::Error);
  EXPECT_THROW(to_variant(ImageMetadata{std::string("a\0b", 3), "", "", 0, true}), base::Error);
}

}  // namespace
}  // namespace berth::store
