#include "image/manifest.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/error.hpp"
#include "base/hint.hpp"
#include "base/json.hpp"

namespace berth::image {
namespace {

using base::JsonView;

constexpr std::string_view oci_index = "application/vnd.oci.image.index.v1+json";
constexpr std::string_view oci_manifest = "application/vnd.oci.image.manifest.v1+json";
constexpr std::string_view oci_config = "application/vnd.oci.image.config.v1+json";
constexpr std::string_view docker_list = "application/vnd.docker.distribution.manifest.list.v2+json";
constexpr std::string_view docker_manifest = "application/vnd.docker.distribution.manifest.v2+json";
constexpr std::string_view docker_config = "application/vnd.docker.container.image.v1+json";
constexpr std::string_view docker_schema1 = "application/vnd.docker.distribution.manifest.v1";

constexpr std::string_view encrypted_suffix = "+encrypted";

struct LayerType {
  std::string_view media_type;
  Compression compression;
};

constexpr std::array<LayerType, 6> layer_types{{
    {"application/vnd.oci.image.layer.v1.tar", Compression::none},
    {"application/vnd.oci.image.layer.v1.tar+gzip", Compression::gzip},
    {"application/vnd.oci.image.layer.v1.tar+zstd", Compression::zstd},
    {"application/vnd.docker.image.rootfs.diff.tar", Compression::none},
    {"application/vnd.docker.image.rootfs.diff.tar.gzip", Compression::gzip},
    {"application/vnd.docker.image.rootfs.diff.tar.zstd", Compression::zstd},
}};

// Configs people push that are no container images, with the words for them.
constexpr std::array<std::pair<std::string_view, std::string_view>, 6> artefact_types{{
    {"application/vnd.cncf.helm.config.v1+json", "a Helm chart"},
    {"application/vnd.oci.empty.v1+json", "an artefact without configuration"},
    {"application/vnd.cncf.flux.config.v1+json", "a Flux artefact"},
    {"application/vnd.wasm.config.v0+json", "a WebAssembly module"},
    {"application/vnd.wasm.config.v1+json", "a WebAssembly module"},
    {"application/vnd.docker.plugin.v1+json", "a Docker plugin"},
}};

/// For everything that only whoever made the image can mend.
constexpr std::string_view damaged_hint =
    "what this part of the image says cannot be used; have the image built again, or by another tool";
constexpr std::string_view artefact_hint = "berth installs container images; check the name and the tag";

[[noreturn]] void refuse(std::string sentence, std::string hint) {
  throw base::Error(base::ErrorKind::verification, std::move(sentence), std::move(hint));
}

bool is_manifest_media_type(std::string_view media_type) {
  return media_type == oci_manifest || media_type == docker_manifest;
}

// `type/sub; charset=utf-8` → `type/sub`
std::string_view without_parameters(std::string_view media_type) {
  auto bare = media_type.substr(0, media_type.find(';'));
  while (!bare.empty() && bare.back() == ' ') {
    bare.remove_suffix(1);
  }
  return bare;
}

Platform platform_from(const JsonView& view) {
  Platform platform;
  platform.os = view.at("os").as_string();
  platform.architecture = view.at("architecture").as_string();
  platform.variant = view.string_or("variant", "");
  return platform;
}

std::map<std::string, std::string> strings_of(const JsonView& parent, std::string_view key) {
  std::map<std::string, std::string> result;
  if (const auto view = parent.find(key)) {
    for (const auto& [name, value] : view->as_object()) {
      result.emplace(name, value.as_string());
    }
  }
  return result;
}

Descriptor descriptor_from(const JsonView& view) {
  Descriptor descriptor{
      view.at("mediaType").as_string(), base::Digest::parse(view.at("digest").as_string(), view.at("digest").place()),
      view.at("size").as_size(),        std::nullopt,
      view.strings_or_empty("urls"),    strings_of(view, "annotations")};
  if (const auto platform = view.find("platform")) {
    descriptor.platform = platform_from(*platform);
  }
  return descriptor;
}

Index index_from(const JsonView& root) {
  const auto entries = root.at("manifests").as_array();
  if (entries.size() > index_entry_limit) {
    root.at("manifests")
        .fail(fmt::format("it has {} entries, at most {} are allowed", entries.size(), index_entry_limit));
  }
  Index index;
  for (const auto& entry : entries) {
    index.manifests.push_back(descriptor_from(entry));
  }
  return index;
}

void refuse_nested_index(const JsonView& root, const Index& index) {
  for (std::size_t at = 0; at < index.manifests.size(); ++at) {
    if (is_index_media_type(index.manifests[at].media_type)) {
      root.at("manifests")
          .as_array()[at]
          .at("mediaType")
          .fail("an index inside an index is not supported; name one of the inner images by its digest");
    }
  }
}

void check_config(const JsonView& root, const Descriptor& config) {
  if (config.media_type != oci_config && config.media_type != docker_config) {
    const auto known = std::find_if(artefact_types.begin(), artefact_types.end(),
                                    [&](const auto& entry) { return entry.first == config.media_type; });
    auto what = known != artefact_types.end()
                    ? std::string(known->second)
                    : fmt::format("an artefact of type '{}'", base::printable(config.media_type));
    if (config.media_type == "application/vnd.oci.empty.v1+json" && root.has("artifactType")) {
      what = fmt::format("an artefact of type '{}'", base::printable(root.at("artifactType").as_string()));
    }
    refuse(fmt::format("{}: this is {}, not a container image", root.at("config").at("mediaType").place(), what),
           std::string(artefact_hint));
  }
  if (static_cast<std::uint64_t>(config.size) > base::json_size_limit) {
    root.at("config").at("size").fail(
        fmt::format("an image configuration has at most {} bytes", base::json_size_limit));
  }
}

Manifest manifest_from(const JsonView& root) {
  Manifest manifest{descriptor_from(root.at("config")), {}, strings_of(root, "annotations")};
  check_config(root, manifest.config);
  const auto layers = root.at("layers").as_array();
  if (layers.size() > layer_count_limit) {
    root.at("layers").fail(fmt::format("it has {} layers, at most {} are allowed", layers.size(), layer_count_limit));
  }
  for (const auto& layer : layers) {
    manifest.layers.push_back(descriptor_from(layer));
    base::in_context([&] { return layer.place(); }, [&] { layer_compression(manifest.layers.back()); });
  }
  return manifest;
}

void refuse_schema_1(std::string_view document) {
  refuse(
      fmt::format("{}: schemaVersion: this is a Docker manifest of schema 1, which is no longer supported", document),
      "push the image again with a current tool, or convert it with `skopeo copy --format v2s2`");
}

void check_schema_version(const JsonView& root, std::string_view document) {
  const auto version = root.at("schemaVersion").as_integer();
  if (version == 1) {
    refuse_schema_1(document);
  }
  if (version != 2) {
    root.at("schemaVersion").fail(fmt::format("expected 2, found {}", version));
  }
}

// The type the document has by its keys; a document that is both could be read in two ways (CVE-2021-41190).
bool is_index_by_keys(const JsonView& root) {
  const bool index = root.value().contains("manifests");
  for (const auto* key : {"config", "layers", "fsLayers"}) {
    if (index && root.value().contains(key)) {
      root.fail(fmt::format("it has both 'manifests' and '{}', so it is neither an index nor a manifest", key));
    }
  }
  if (!index && root.value().contains("fsLayers")) {
    refuse_schema_1(root.place());
  }
  return index;
}

void check_media_type(std::string_view media_type, bool index, const JsonView& place, std::string_view says) {
  if (index ? is_index_media_type(media_type) : is_manifest_media_type(media_type)) {
    return;
  }
  place.fail(fmt::format("{} '{}', but the document is {}", says, base::printable(media_type),
                         index ? "an index" : "a manifest"));
}

// Servers that know nothing about manifests announce one of these; then the document decides.
bool says_nothing(std::string_view media_type) {
  return media_type.empty() || media_type == "application/json" || media_type == "application/octet-stream" ||
         media_type == "text/plain";
}

void check_announced(std::string_view announced, std::string_view document) {
  if (announced.starts_with(docker_schema1)) {
    refuse_schema_1(document);
  }
  if (announced == "text/html") {
    refuse(fmt::format("{}: the server answered with a web page, not with a manifest", document),
           "check the registry's address, and whether a login page or a proxy stands in front of it");
  }
}

}  // namespace

std::vector<std::string> manifest_media_types() {
  return {std::string(oci_index), std::string(oci_manifest), std::string(docker_list), std::string(docker_manifest)};
}

bool is_index_media_type(std::string_view media_type) {
  return media_type == oci_index || media_type == docker_list;
}

Compression layer_compression(const Descriptor& layer) {
  const auto& type = layer.media_type;
  for (const auto& known : layer_types) {
    if (type == known.media_type) {
      return known.compression;
    }
  }
  if (type.ends_with(encrypted_suffix)) {
    refuse(fmt::format("layer {} is encrypted ('{}')", layer.digest.short_hex(), base::printable(type)),
           "decrypt the image first, e.g. with `skopeo copy --decryption-key`");
  }
  if (type.find(".nondistributable.") != std::string::npos || type.find(".foreign.") != std::string::npos) {
    refuse(
        fmt::format("layer {} is foreign ('{}'): registries do not hold it", layer.digest.short_hex(),
                    base::printable(type)),
        "whoever builds the image can push it with these layers, e.g. with Docker's allow-nondistributable-artifacts");
  }
  refuse(fmt::format("layer {} has the unknown type '{}'", layer.digest.short_hex(), base::printable(type)),
         std::string(artefact_hint));
}

namespace {

std::variant<Index, Manifest> read_manifest(std::string_view text, std::string_view media_type,
                                            std::string_view document) {
  const auto announced = without_parameters(media_type);
  check_announced(announced, document);
  const auto json = base::parse_json(text, document);
  const JsonView root(json, std::string(document));
  check_schema_version(root, document);
  const bool index = is_index_by_keys(root);
  if (!says_nothing(announced)) {
    check_media_type(announced, index, root, "announced as");
  }
  if (const auto own = root.find("mediaType")) {
    check_media_type(own->as_string(), index, *own, "it says");
    if (!says_nothing(announced) && own->as_string() != announced) {
      own->fail(fmt::format("it says '{}', but was announced as '{}'", own->as_string(), announced));
    }
  }
  if (!index) {
    return manifest_from(root);
  }
  auto result = index_from(root);
  refuse_nested_index(root, result);
  return result;
}

}  // namespace

std::variant<Index, Manifest> parse_manifest(std::string_view text, std::string_view media_type,
                                             std::string_view document) {
  return base::with_hint(damaged_hint, [&] { return read_manifest(text, media_type, document); });
}

Index parse_layout_index(std::string_view text, std::string_view document) {
  return base::with_hint("have the layout written again", [&] {
    const auto json = base::parse_json(text, document);
    const JsonView root(json, std::string(document));
    check_schema_version(root, document);
    if (!is_index_by_keys(root)) {
      root.fail("it has no 'manifests', so it is no index of an OCI layout");
    }
    return index_from(root);
  });
}

}  // namespace berth::image
