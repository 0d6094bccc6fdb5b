// SPDX-License-Identifier: LGPL-2.1-or-later
#include "store/stored_image.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/digest.hpp"
#include "base/error.hpp"
#include "base/file.hpp"
#include "base/json.hpp"

namespace berth::store {
namespace {

std::string_view without_prefix(const std::string& branch) {
  return std::string_view(branch).substr(std::string_view(branch_prefix).size());
}

constexpr std::string_view sha256 = "sha256:";
constexpr std::size_t shown_digits = 12;  // of a layer, in messages

std::string without_algorithm(const std::string& digest) {
  return digest.starts_with(sha256) ? digest.substr(sha256.size()) : digest;
}

/// The layers, lowest first, of a manifest that `atomic` stored: schema 1 of Docker, or its own `{"Layers": [...]}` for
/// images from archives. Empty for other manifests.
std::vector<std::string> atomic_layers(const std::string& manifest) {
  std::vector<std::string> layers;
  try {
    const auto json = base::parse_json(manifest, "manifest");
    const base::JsonView view(json, "manifest");
    layers = view.strings_or_empty("Layers");
    if (const auto list = view.find("fsLayers")) {
      for (const auto& layer : list->as_array()) {
        layers.push_back(layer.at("blobSum").as_string());
      }
      std::reverse(layers.begin(), layers.end());
    }
  } catch (const base::Error&) {
    return {};
  }
  std::transform(layers.begin(), layers.end(), layers.begin(), without_algorithm);
  const auto is_layer = [](const std::string& hex) { return is_layer_branch(layer_branch(hex)); };
  return std::all_of(layers.begin(), layers.end(), is_layer) ? layers : std::vector<std::string>();
}

/// Sets the members that come from the manifest, if it can be read.
void describe_manifest(StoredImage& image) {
  try {
    const auto manifest = stored_manifest(image);
    image.id = manifest.config.digest.hex();
    for (const auto& layer : manifest.layers) {
      image.layers.push_back(layer.digest.hex());
    }
  } catch (const base::Error&) {
    image.layers = atomic_layers(image.manifest);
    image.id = image.layers.empty() ? "" : base::digest_of(image.manifest).hex();
  }
}

DirectoryLoader loader(const Repository& repository, const std::stop_token& stop) {
  return [&repository, stop](const Checksum& tree) {
    if (stop.stop_requested()) {
      base::throw_interrupted();
    }
    return repository.load_directory(tree);
  };
}

}  // namespace

image::Manifest stored_manifest(const StoredImage& image) {
  const std::string document = "the stored manifest of " + (image.name.empty() ? image.branch : image.name);
  auto parsed = image::parse_manifest(image.manifest, "", document);
  if (auto* manifest = std::get_if<image::Manifest>(&parsed)) {
    return std::move(*manifest);
  }
  throw base::Error(base::ErrorKind::verification, document + " is an index", "pull the image again");
}

StoredImage describe_image(const Branch& branch, const Commit& commit) {
  auto metadata = image_metadata(commit.metadata.get());
  StoredImage image;
  image.branch = branch.name;
  image.name = image::decode_branch(without_prefix(branch.name)).value_or("");
  image.commit = branch.commit.hex();
  image.manifest = std::move(metadata.manifest);
  image.manifest_digest = std::move(metadata.digest);
  image.config = std::move(metadata.config);
  image.created = commit.timestamp;
  image.size = static_cast<std::int64_t>(metadata.unpacked_size);
  image.merged = metadata.merged;
  describe_manifest(image);
  return image;
}

StoredImage describe_name(const Branch& branch) {
  StoredImage image;
  image.branch = branch.name;
  image.commit = branch.commit.hex();
  image.merged = true;
  if (is_layer_branch(branch.name)) {
    image.id = without_prefix(branch.name);
  } else {
    image.name = image::decode_branch(without_prefix(branch.name)).value_or("");
  }
  return image;
}

StoredImage describe_layer(const Branch& branch, const Commit& commit) {
  StoredImage layer;
  layer.branch = branch.name;
  layer.id = without_prefix(branch.name);
  layer.commit = branch.commit.hex();
  layer.created = commit.timestamp;
  layer.size = static_cast<std::int64_t>(layer_metadata(commit.metadata.get()).unpacked_size);
  return layer;
}

std::string stored_config(const Repository& repository, const StoredImage& image) {
  if (!image.config.empty()) {
    return image.config;
  }
  const auto commit = repository.resolve(layer_branch(image.id));
  auto text = commit ? repository.read_file(*commit, "content", base::json_size_limit) : std::nullopt;
  return text && base::digest_of(*text).hex() == image.id ? std::move(*text) : std::string();
}

StoredLayer load_layer(const Repository& repository, const std::string& hex, const Checksum& commit) {
  const auto loaded = repository.load_commit(commit);
  return {"layer " + hex.substr(0, shown_digits), loaded.root, layer_metadata(loaded.metadata.get()).links};
}

std::vector<StoredLayer> load_layers(const Repository& repository, const StoredImage& image) {
  if (image.layers.empty()) {
    stored_manifest(image);  // throws with the reason
  }
  std::vector<StoredLayer> stack;
  stack.reserve(image.layers.size());
  for (const auto& hex : image.layers) {
    const auto commit = repository.resolve(layer_branch(hex));
    if (!commit) {
      throw base::Error(base::ErrorKind::not_found,
                        fmt::format("{} was stored by another tool, and its layer {} is not stored", image.name,
                                    hex.substr(0, shown_digits)),
                        "pull it again: berth pull " + image.name);
    }
    stack.push_back(load_layer(repository, hex, *commit));
  }
  return stack;
}

std::optional<std::string> read_unmerged_file(const Repository& repository, const StoredImage& image,
                                              const std::string& path, std::uint64_t limit,
                                              const std::stop_token& stop) {
  Merge merge(loader(repository, stop), name_of_meta(implied_ownership()), name_of_meta(plain_ownership()));
  for (const auto& layer : load_layers(repository, image)) {
    merge.apply(layer);
  }
  const Directory* directory = &merge.root();
  const auto components = base::safe_components(path, path);
  for (std::size_t i = 0; directory != nullptr && i < components.size(); ++i) {
    const auto found = directory->children.find(components[i]);
    if (found == directory->children.end()) {
      return std::nullopt;
    }
    if (const auto* content = std::get_if<Checksum>(&found->second)) {
      return i + 1 == components.size() ? repository.read_content(*content, path, limit) : std::nullopt;
    }
    directory = directory_in(found->second);
  }
  return std::nullopt;
}

Checksum commit_merged(const Repository& repository, const std::vector<StoredLayer>& layers,
                       const ImageMetadata& metadata, std::int64_t created, const std::stop_token& stop) {
  Merge merge(loader(repository, stop), repository.write_meta(implied_ownership()),
              repository.write_meta(plain_ownership()));
  for (const auto& layer : layers) {
    merge.apply(layer);
  }
  const StoredDirectory root{repository.write_tree(merge.root()), merge.root().meta};
  const auto variant = to_variant(metadata);
  return repository.write_commit(root, created, variant.get());
}

}  // namespace berth::store
