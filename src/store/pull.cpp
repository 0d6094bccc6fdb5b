// SPDX-License-Identifier: LGPL-2.1-or-later
#include "store/pull.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <optional>
#include <utility>
#include <vector>

#include "base/activity.hpp"
#include "base/error.hpp"
#include "base/json.hpp"
#include "store/fetch.hpp"
#include "store/ostree/object_files.hpp"
#include "store/ostree/object_walk.hpp"
#include "store/ostree/refs.hpp"
#include "store/ostree/timestamp.hpp"
#include "store/stored_image.hpp"

namespace berth::store {
namespace {

constexpr const char* file_registry = "localhost";  // in the names of images from files
constexpr std::int64_t config_size_limit = static_cast<std::int64_t>(base::json_size_limit);

std::string read_config(image::ImageSource& source, const image::Descriptor& descriptor) {
  if (descriptor.size > config_size_limit) {
    throw base::Error(base::ErrorKind::verification,
                      fmt::format("the configuration of {} has {} bytes, the limit is {}", source.name().text(),
                                  descriptor.size, config_size_limit));
  }
  auto text = base::read_text(*source.open_blob(descriptor), base::json_size_limit,
                              "the configuration of " + source.name().text());
  if (base::digest_of(text, descriptor.digest.algorithm()) != descriptor.digest) {
    throw base::Error(base::ErrorKind::verification, fmt::format("the configuration of {} does not match its digest {}",
                                                                 source.name().text(), descriptor.digest.text()));
  }
  return text;
}

image::ImageConfig parse_config(image::ImageSource& source, const image::Manifest& manifest, const std::string& text) {
  auto config = image::parse_image_config(text, "the configuration of " + source.name().text());
  if (config.diff_ids.size() != manifest.layers.size()) {
    throw base::Error(
        base::ErrorKind::verification,
        fmt::format("{}: its manifest has {} layers, its configuration {} diff ids", source.name().text(),
                    manifest.layers.size(), config.diff_ids.size()),
        "the manifest and the configuration do not belong together; have the image built or pushed again");
  }
  return config;
}

/// The image of a branch if it is stored completely with exactly this manifest. One that cannot be read counts as
/// absent.
std::optional<StoredImage> with_manifest(const Repository& repository, base::Reporter& reporter, const Branch& branch,
                                         const std::string& digest) {
  try {
    const auto commit = repository.load_commit(branch.commit);
    const auto metadata = image_metadata(commit.metadata.get());
    const bool same = metadata.merged && metadata.digest == digest && !metadata.config.empty();
    return same ? std::optional(describe_image(branch, commit)) : std::nullopt;
  } catch (const base::Error& error) {
    reporter.warning(fmt::format("{} cannot be read: {}", describe_name(branch).name, error.what()));
    return std::nullopt;
  }
}

/// Such an image, of the wanted name or, when that is another one, of any.
std::optional<StoredImage> find_same(const Repository& repository, base::Reporter& reporter, const std::string& digest,
                                     const std::string& wanted_branch) {
  if (const auto commit = repository.resolve(wanted_branch)) {
    if (auto found = with_manifest(repository, reporter, {wanted_branch, *commit}, digest)) {
      return found;
    }
  }
  for (const auto& branch : repository.branches()) {
    if (!is_layer_branch(branch.name) && branch.name != wanted_branch && repository.resolve(branch.name)) {
      if (auto found = with_manifest(repository, reporter, branch, digest)) {
        return found;
      }
    }
  }
  return std::nullopt;
}

Origin origin_of(const image::ImageSource& source) {
  return source.from_registry() ? Origin::registry : Origin::file;
}

/// The origin of a missing or damaged commit is not known, so that it may be repaired from any source.
bool is_readable(const Repository& repository, const Checksum& commit) {
  try {
    (void)repository.load_commit(commit);
    return true;
  } catch (const base::Error&) {
    return false;
  }
}

/// The name in a file is arbitrary. The name of an image from a registry is kept for that registry: containers are
/// installed and updated by it.
void refuse_takeover(const Repository& repository, const image::ImageSource& source, const std::string& branch,
                     const std::string& digest) {
  const auto commit = source.from_registry() ? std::nullopt : repository.resolve(branch);
  if (!commit || !is_readable(repository, *commit)) {
    return;
  }
  const auto stored = image_metadata(repository.load_commit(*commit).metadata.get());
  // Earlier versions recorded no origin, but used this registry name for images from files.
  const bool of_file =
      stored.origin == Origin::file || (stored.origin == Origin::unknown && source.name().registry == file_registry);
  if (!of_file && stored.digest != digest) {
    throw base::Error(
        base::ErrorKind::conflict,
        fmt::format("{} is stored from its registry; an image from a file does not replace it", source.name().text()),
        "omit the name after the file, choose another one, or delete the stored image first");
  }
}

/// The commit with another origin; its tree is the same.
Checksum with_origin(const Repository& repository, const Checksum& commit, Origin origin) {
  const auto stored = repository.load_commit(commit);
  auto metadata = image_metadata(stored.metadata.get());
  metadata.origin = origin;
  const auto variant = to_variant(metadata);
  return repository.write_commit(stored.root, stored.timestamp, variant.get());
}

/// The damage that a pull repairs.
struct Damage {
  ReplacedObjects replaced;
  std::optional<Checksum> commit;  ///< the expected result; nullopt when it is not known
  std::string branch;              ///< of the image; the source may know it by its digest
};

/// One pull of an image that is not stored yet, or damaged.
class Pull {
 public:
  Pull(const Repository& repository, const StoreOptions& options, image::ImageSource& source,
       image::ResolvedManifest resolved, Damage damage = {})
      : repository_(repository),
        options_(options),
        source_(source),
        resolved_(std::move(resolved)),
        damage_(std::move(damage)) {}

  PullResult run() {
    read_config_of_image();
    Transaction transaction(repository_, damage_.replaced);
    FetchResult fetched = fetch_missing();
    for (const auto& layer : fetched.layers) {
      if (layer.fetched) {
        transaction.set_branch(layer_branch(layer.digest.hex()), layer.commit);
      }
    }
    const Branch branch{damage_.branch.empty() ? image_branch(source_.name()) : damage_.branch,
                        as_damaged(merge(fetched))};
    refuse_another(branch.commit);
    transaction.set_branch(branch.name, branch.commit);
    if (options_.stop.stop_requested()) {
      base::throw_interrupted();
    }
    {
      const base::Activity writing(*options_.reporter, source_.name().text(), base::ProgressTask::writing);
      transaction.commit();
    }
    result_.changed = true;
    result_.image = describe_image(branch, repository_.load_commit(branch.commit));
    return std::move(result_);
  }

 private:
  void read_config_of_image() {
    config_text_ = read_config(source_, resolved_.manifest.config);
    config_ = parse_config(source_, resolved_.manifest, config_text_);
    created_ = epoch_seconds(config_.created);
  }

  /// The origin in the stored commit, as the same image may have come from another source before.
  [[nodiscard]] Checksum as_damaged(const Checksum& merged) const {
    for (const auto origin : {Origin::registry, Origin::file, Origin::unknown}) {
      if (damage_.commit && merged != *damage_.commit && with_origin(repository_, merged, origin) == *damage_.commit) {
        return *damage_.commit;
      }
    }
    return merged;
  }

  /// Deployments and branches name the commit that is damaged.
  void refuse_another(const Checksum& commit) const {
    if (damage_.commit && *damage_.commit != commit) {
      throw base::Error(
          base::ErrorKind::conflict, fmt::format("{} is now another image than the damaged one", source_.name().text()),
          "berth pull replaces the old one; or repair from a source that still has the old one, e.g. berth "
          "images repair oci:DIR");
    }
  }

  FetchResult fetch_missing() {
    std::vector<LayerRequest> wanted;
    const auto& layers = resolved_.manifest.layers;
    for (std::size_t i = 0; i < layers.size(); ++i) {
      wanted.push_back({layers[i], config_.diff_ids[i], created_, options_.stop, options_.reporter});
    }
    return fetch_layers(repository_, source_, wanted, options_);
  }

  /// Writes the merged commit and sets the counts of the result.
  Checksum merge(const FetchResult& fetched) {
    std::map<std::string, StoredLayer> stored;
    std::map<std::string, std::uint64_t> sizes;
    for (const auto& layer : fetched.layers) {
      const auto hex = layer.digest.hex();
      const auto metadata = layer_metadata(repository_.load_commit(layer.commit).metadata.get());
      stored.emplace(hex, load_layer(repository_, hex, layer.commit));
      sizes.emplace(hex, metadata.unpacked_size);
      result_.skipped_nodes += metadata.skipped_nodes;
      result_.bytes_fetched += layer.fetched ? static_cast<std::uint64_t>(layer.packed_size) : 0;
      ++(layer.fetched ? result_.layers_fetched : result_.layers_present);
    }
    ImageMetadata metadata{resolved_.text, resolved_.digest.text(), config_text_, 0, true, origin_of(source_)};
    std::vector<StoredLayer> stack;
    for (const auto& layer : resolved_.manifest.layers) {
      stack.push_back(stored.at(layer.digest.hex()));
      metadata.unpacked_size += sizes.at(layer.digest.hex());
    }
    const base::Activity merging(*options_.reporter, source_.name().text(), base::ProgressTask::merging);
    return commit_merged(repository_, stack, metadata, created_, options_.stop);
  }

  const Repository& repository_;
  const StoreOptions& options_;
  image::ImageSource& source_;
  image::ResolvedManifest resolved_;
  std::string config_text_;
  image::ImageConfig config_;
  std::int64_t created_ = 0;
  Damage damage_;
  PullResult result_;
};

/// The damaged commits and directories of a stored layer. If there are any, its commit counts as damaged as well, so
/// that the layer is fetched.
void add_faults(const Repository& repository, const StoreOptions& options, const std::string& branch,
                ReplacedObjects& faults) {
  const auto commit = repository.resolve(branch);
  if (!commit) {
    return;
  }
  ObjectWalk walk(repository, options.stop);
  walk.add(*commit);
  for (const auto& fault : walk.faults()) {
    faults.insert(path_in_objects(fault.name));
    faults.insert(path_in_objects({OSTREE_OBJECT_TYPE_COMMIT, *commit}));
  }
}

/// Whether the origin stays the same: an image that a file has as well still comes from the registry.
bool keeps_origin(const Repository& repository, const Checksum& commit, bool same_name, Origin origin) {
  const auto stored = image_metadata(repository.load_commit(commit).metadata.get()).origin;
  return stored == origin || (origin == Origin::file ? same_name : stored == Origin::unknown);
}

PullResult already_stored(const Repository& repository, const StoreOptions& options, const image::ImageSource& source,
                          StoredImage found) {
  const auto branch = image_branch(source.name());
  const auto origin = origin_of(source);
  auto commit = Checksum::from_hex(found.commit);
  PullResult result;
  result.layers_present = found.layers.size();
  result.changed = found.branch != branch;
  const bool keeps = keeps_origin(repository, commit, !result.changed, origin);
  if (result.changed || !keeps) {
    Transaction transaction(repository);
    commit = keeps ? commit : with_origin(repository, commit, origin);
    transaction.set_branch(branch, commit);
    transaction.commit();
    if (result.changed) {
      options.reporter->step(fmt::format("same content as {}", found.name));
    }
    found = describe_image({branch, commit}, repository.load_commit(commit));
  }
  result.image = std::move(found);
  return result;
}

}  // namespace

image::ImageConfig read_image_config(image::ImageSource& source, const image::Manifest& manifest) {
  return parse_config(source, manifest, read_config(source, manifest.config));
}

PullResult pull_image(const Repository& repository, const StoreOptions& options, image::ImageSource& source,
                      const image::Platform& platform) {
  auto resolved = [&] {
    const base::Activity asking(*options.reporter, source.name().text(), base::ProgressTask::resolving);
    return source.resolve(platform);
  }();
  if (!repository.syncs()) {
    options.reporter->warning("the repository is configured with fsync=false: images may be lost in a power failure");
  }
  const auto branch = image_branch(source.name());
  refuse_takeover(repository, source, branch, resolved.digest.text());
  if (auto found = find_same(repository, *options.reporter, resolved.digest.text(), branch)) {
    return already_stored(repository, options, source, std::move(*found));
  }
  return Pull(repository, options, source, std::move(resolved)).run();
}

PullResult pull_again(const Repository& repository, const StoreOptions& options, image::ImageSource& source,
                      const image::Platform& platform, const StoredImage& damaged) {
  auto resolved = source.resolve(platform);
  Damage damage{{}, {}, damaged.branch};
  for (const auto& layer : resolved.manifest.layers) {
    add_faults(repository, options, layer_branch(layer.digest.hex()), damage.replaced);
  }
  if (!damaged.commit.empty()) {
    damage.commit = Checksum::from_hex(damaged.commit);
    damage.replaced.insert(path_in_objects({OSTREE_OBJECT_TYPE_COMMIT, *damage.commit}));
  }
  return Pull(repository, options, source, std::move(resolved), std::move(damage)).run();
}

StoredImage merge_stored(const Repository& repository, const StoreOptions& options, const StoredImage& image,
                         const ReplacedObjects& replaced) {
  const base::Activity merging(*options.reporter, image.name, base::ProgressTask::merging);
  ImageMetadata metadata{image.manifest, image.manifest_digest, stored_config(repository, image), 0,
                         true,           Origin::unknown};
  for (const auto& layer : image.layers) {
    if (const auto commit = repository.resolve(layer_branch(layer))) {
      metadata.unpacked_size += layer_metadata(repository.load_commit(*commit).metadata.get()).unpacked_size;
    }
  }
  const auto stack = load_layers(repository, image);
  Transaction transaction(repository, replaced);
  const Branch branch{image.branch, commit_merged(repository, stack, metadata, image.created, options.stop)};
  transaction.set_branch(branch.name, branch.commit);
  transaction.commit();
  if (replaced.empty()) {
    options.reporter->step(fmt::format("merged the layers of {}, which another tool stored", image.name));
  }
  return describe_image(branch, repository.load_commit(branch.commit));
}

}  // namespace berth::store
