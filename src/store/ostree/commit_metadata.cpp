// SPDX-License-Identifier: LGPL-2.1-or-later
#include "store/ostree/commit_metadata.hpp"

#include <fmt/format.h>

#include <charconv>

#include "base/error.hpp"
#include "store/tree/entry_name.hpp"

namespace berth::store {
namespace {

constexpr const char* key_manifest = "docker.manifest";
constexpr const char* key_digest = "docker.digest";
constexpr const char* key_packed_size = "docker.size";
constexpr const char* key_config = "berth.config";
constexpr const char* key_size = "berth.size";
constexpr const char* key_merged = "berth.merged";
constexpr const char* key_origin = "berth.origin";
constexpr const char* origin_registry = "registry";
constexpr const char* origin_file = "file";
constexpr const char* key_diff_id = "berth.diff_id";
constexpr const char* key_skipped = "berth.skipped";
constexpr const char* key_links = "berth.links";

/// Collects keys and values; ends as an `a{sv}`.
class Builder {
 public:
  Builder() { g_variant_dict_init(&dict_, nullptr); }
  Builder(const Builder&) = delete;
  Builder& operator=(const Builder&) = delete;
  ~Builder() { g_variant_dict_clear(&dict_); }

  void add(const char* key, const std::string& text) {
    if (!is_utf8(text) || text.find('\0') != std::string::npos) {
      throw base::Error(base::ErrorKind::verification, fmt::format("the text for {} is not UTF-8", key));
    }
    add(key, g_variant_new_string(text.c_str()));
  }
  void add(const char* key, GVariant* value) { g_variant_dict_insert_value(&dict_, key, value); }
  VariantPtr end() { return own(g_variant_dict_end(&dict_)); }

 private:
  GVariantDict dict_{};
};

VariantPtr find(GVariant* metadata, const char* key, const char* type) {
  return VariantPtr(g_variant_lookup_value(metadata, key, G_VARIANT_TYPE(type)));
}

std::string text_of(GVariant* metadata, const char* key) {
  const auto value = find(metadata, key, "s");
  return value ? g_variant_get_string(value.get(), nullptr) : "";
}

std::uint64_t number_of(GVariant* metadata, const char* key) {
  const auto value = find(metadata, key, "t");
  return value ? g_variant_get_uint64(value.get()) : 0;
}

/// Versions of `atomic` wrote sizes as text or as numbers.
std::int64_t packed_size_of(GVariant* metadata) {
  const auto text = text_of(metadata, key_packed_size);
  std::int64_t size = 0;
  if (text.empty()) {
    return static_cast<std::int64_t>(number_of(metadata, key_packed_size));
  }
  std::from_chars(text.data(), text.data() + text.size(), size);
  return size;
}

}  // namespace

VariantPtr to_variant(const LayerMetadata& metadata) {
  Builder builder;
  builder.add(key_packed_size, std::to_string(metadata.packed_size));
  builder.add(key_diff_id, metadata.diff_id);
  builder.add(key_size, g_variant_new_uint64(metadata.unpacked_size));
  builder.add(key_skipped, g_variant_new_uint64(metadata.skipped_nodes));
  if (!metadata.links.empty()) {
    GVariantBuilder links;
    g_variant_builder_init(&links, G_VARIANT_TYPE("a{ss}"));
    for (const auto& [path, target] : metadata.links) {
      g_variant_builder_add(&links, "{ss}", path.c_str(), target.c_str());
    }
    builder.add(key_links, g_variant_builder_end(&links));
  }
  return builder.end();
}

VariantPtr to_variant(const ImageMetadata& metadata) {
  Builder builder;
  builder.add(key_manifest, metadata.manifest);
  builder.add(key_digest, metadata.digest);
  if (!metadata.config.empty()) {
    builder.add(key_config, metadata.config);
  }
  builder.add(key_size, g_variant_new_uint64(metadata.unpacked_size));
  builder.add(key_merged, g_variant_new_boolean(metadata.merged ? TRUE : FALSE));
  if (metadata.origin != Origin::unknown) {
    builder.add(key_origin, std::string(metadata.origin == Origin::file ? origin_file : origin_registry));
  }
  return builder.end();
}

LayerMetadata layer_metadata(GVariant* metadata) {
  LayerMetadata result;
  result.packed_size = packed_size_of(metadata);
  result.diff_id = text_of(metadata, key_diff_id);
  result.unpacked_size = number_of(metadata, key_size);
  result.skipped_nodes = number_of(metadata, key_skipped);
  if (const auto links = find(metadata, key_links, "a{ss}")) {
    for (std::size_t i = 0; i < g_variant_n_children(links.get()); ++i) {
      const char* path = nullptr;
      const char* target = nullptr;
      g_variant_get_child(links.get(), i, "{&s&s}", &path, &target);
      result.links.emplace(path, target);
    }
  }
  return result;
}

ImageMetadata image_metadata(GVariant* metadata) {
  ImageMetadata result;
  result.manifest = text_of(metadata, key_manifest);
  result.digest = text_of(metadata, key_digest);
  result.config = text_of(metadata, key_config);
  result.unpacked_size = number_of(metadata, key_size);
  const auto merged = find(metadata, key_merged, "b");
  result.merged = merged && g_variant_get_boolean(merged.get()) != 0;
  if (const auto origin = text_of(metadata, key_origin); !origin.empty()) {
    result.origin = origin == origin_file ? Origin::file : Origin::registry;
  }
  return result;
}

bool is_our_commit(GVariant* metadata) {
  for (std::size_t i = 0; i < g_variant_n_children(metadata); ++i) {
    const VariantPtr entry(g_variant_get_child_value(metadata, i));
    const char* key = nullptr;
    g_variant_get_child(entry.get(), 0, "&s", &key);
    const std::string_view name(key);
    if (name.starts_with("docker.") || name.starts_with("berth.")) {
      return true;
    }
  }
  return false;
}

}  // namespace berth::store
