// SPDX-License-Identifier: LGPL-2.1-or-later
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

// Configurations of artefacts that are not container images, and their descriptions.
constexpr std::array<std::pair<std::string_view, std::string_view>, 6> artefact_types{{
    {"application/vnd.cncf.helm.config.v1+json", "a Helm chart"},
    {"application/vnd.oci.empty.v1+json", "an artefact without configuration"},
    {"application/vnd.cncf.flux.config.v1+json", "a Flux artefact"},
    {"application/vnd.wasm.config.v0+json", "a WebAssembly module"},
    {"application/vnd.wasm.config.v1+json", "a WebAssembly module"},
    {"application/vnd.docker.plugin.v1+json", "a Docker plugin"},
}};

/// The remedy for errors in the image itself.
constexpr std::string_view damaged_hint =
    "this part of the image is invalid; rebuild the image, if need be with another tool";
constexpr std::string_view artefact_hint = "berth installs container images; check the name and the tag";

[[noreturn]] void refuse(std::string message, std::string hint) {
  throw base::Error(base::ErrorKind::verification, std::move(message), std::move(hint));
}

bool is_manifest_media_type(std::string_view media_type) {
  return media_type == oci_manifest || media_type == docker_manifest;
}

// `Type/Sub; charset=utf-8` → `type/sub` (RFC 9110, section 8.3.1)
std::string normalized(std::string_view media_type) {
  std::string bare(media_type.substr(0, media_type.find(';')));
  while (!bare.empty() && bare.back() == ' ') {
    bare.pop_back();
  }
  std::transform(bare.begin(), bare.end(), bare.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  return bare;
}

// Tools written in Go write null for an empty string or list.
std::string text_or_empty(const JsonView& view) {
  return view.value().is_null() ? "" : view.as_string();
}

std::vector<JsonView> list_or_empty(const JsonView& parent, std::string_view key) {
  const auto view = parent.find(key);
  return view ? view->as_array() : std::vector<JsonView>{};
}

Platform platform_from(const JsonView& view) {
  Platform platform;
  platform.os = view.string_or("os", "");
  platform.architecture = view.string_or("architecture", "");
  platform.variant = view.string_or("variant", "");
  return platform;
}

std::map<std::string, std::string> strings_of(const JsonView& parent, std::string_view key) {
  std::map<std::string, std::string> result;
  if (const auto view = parent.find(key)) {
    for (const auto& [name, value] : view->as_object()) {
      result.emplace(name, text_or_empty(value));
    }
  }
  return result;
}

base::Digest digest_from(const JsonView& view) {
  return base::Digest::parse(view.as_string(), view.place());
}

Descriptor descriptor_from(const JsonView& view) {
  Descriptor descriptor{normalized(view.string_or("mediaType", "")),
                        digest_from(view.at("digest")),
                        view.at("size").as_size(),
                        std::nullopt,
                        view.strings_or_empty("urls"),
                        strings_of(view, "annotations")};
  if (const auto platform = view.find("platform")) {
    descriptor.platform = platform_from(*platform);
  }
  return descriptor;
}

Index index_from(const JsonView& root) {
  const auto entries = list_or_empty(root, "manifests");
  if (entries.size() > index_entry_limit) {
    root.at("manifests")
        .fail(fmt::format("it has {} entries, at most {} are allowed", entries.size(), index_entry_limit));
  }
  Index index;
  for (const auto& entry : entries) {
    try {
      index.manifests.push_back(descriptor_from(entry));
    } catch (const base::Error& error) {  // reported only when no other entry is chosen
      index.unreadable.push_back(error.message());
    }
  }
  return index;
}

void check_config(const JsonView& root, const Descriptor& config, bool docker) {
  const bool image = config.media_type == oci_config || config.media_type == docker_config;
  const auto artefact = std::any_of(artefact_types.begin(), artefact_types.end(),
                                    [&](const auto& entry) { return entry.first == config.media_type; });
  if (!image &&
      (artefact || !docker)) {  // Docker's manifests describe images, whatever the type of their configuration
    const auto known = std::find_if(artefact_types.begin(), artefact_types.end(),
                                    [&](const auto& entry) { return entry.first == config.media_type; });
    auto what = known != artefact_types.end()
                    ? std::string(known->second)
                    : fmt::format("an artefact of type '{}'", base::printable(config.media_type));
    if (config.media_type == "application/vnd.oci.empty.v1+json" && root.has("artifactType")) {
      what = fmt::format("an artefact of type '{}'", base::printable(root.at("artifactType").as_string()));
    }
    refuse(fmt::format("{}.mediaType: this is {}, not a container image", root.at("config").place(), what),
           std::string(artefact_hint));
  }
  if (static_cast<std::uint64_t>(config.size) > base::json_size_limit) {
    root.at("config").at("size").fail(
        fmt::format("an image configuration has at most {} bytes", base::json_size_limit));
  }
}

Manifest manifest_from(const JsonView& root, bool docker) {
  Manifest manifest{descriptor_from(root.at("config")), {}, strings_of(root, "annotations")};
  check_config(root, manifest.config, docker);
  const auto layers = list_or_empty(root, "layers");
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
  const auto view = root.find("schemaVersion");
  const auto version = view ? view->as_integer() : 0;
  if (version == 1) {
    refuse_schema_1(document);
  }
  if (version != 2 && version != 0) {  // tools written in Go write 0 for an unset version
    view->fail(fmt::format("expected 2, found {}", version));
  }
}

// The type of the document according to its keys; a document that is both is ambiguous (CVE-2021-41190).
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

// The mediaType of a document must not contradict its keys: other tools may rely on it.
std::string own_media_type(const JsonView& root, bool index) {
  const auto view = root.find("mediaType");
  if (!view) {
    return {};
  }
  auto own = normalized(view->as_string());
  if (index ? is_manifest_media_type(own) : is_index_media_type(own)) {
    view->fail(
        fmt::format("it says '{}', but the document is {}", base::printable(own), index ? "an index" : "a manifest"));
  }
  return own;
}

base::Json parse_announced(std::string_view text, std::string_view announced, std::string_view document) {
  try {
    return base::parse_json(text, document);
  } catch (const base::Error& error) {
    if (announced == "text/html") {
      refuse(fmt::format("{}: the server answered with a web page, not with a manifest", document),
             "check the registry's address, and whether a login page or a proxy stands in front of it");
    }
    throw base::Error(base::ErrorKind::verification, error.message(),
                      "check that this is the address of a registry; if it is, report this to its operator");
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
  const auto type = normalized(layer.media_type);
  for (const auto& known : layer_types) {
    if (type == known.media_type) {
      return known.compression;
    }
  }
  if (type.ends_with(encrypted_suffix)) {
    refuse(fmt::format("layer {} is encrypted ('{}')", layer.digest.short_hex(), base::printable(type)),
           "decrypt the image first, e.g. with `skopeo copy --decryption-key`");
  }
  const bool foreign =
      type.find(".nondistributable.") != std::string::npos || type.find(".foreign.") != std::string::npos;
  if (foreign && !layer.urls.empty()) {
    refuse(fmt::format("layer {} is foreign ('{}'): registries do not hold it", layer.digest.short_hex(),
                       base::printable(type)),
           "push the image with these layers, e.g. with Docker's allow-nondistributable-artifacts");
  }
  if (type.starts_with("text/") || type.ends_with("json")) {  // signatures, attestations, lists of contents
    refuse(fmt::format("layer {} has the unknown type '{}'", layer.digest.short_hex(), base::printable(type)),
           std::string(artefact_hint));
  }
  return Compression::none;
}

namespace {

std::variant<Index, Manifest> read_manifest(std::string_view text, std::string_view media_type,
                                            std::string_view document) {
  const auto announced = normalized(media_type);
  const auto json = parse_announced(text, announced, document);
  const JsonView root(json, std::string(document));
  check_schema_version(root, document);
  const bool index = is_index_by_keys(root);
  const auto own = own_media_type(root, index);
  if (index) {
    return index_from(root);
  }
  return manifest_from(root, (own.empty() ? announced : own) == docker_manifest);
}

}  // namespace

std::variant<Index, Manifest> parse_manifest(std::string_view text, std::string_view media_type,
                                             std::string_view document) {
  return base::with_hint(damaged_hint, [&] { return read_manifest(text, media_type, document); });
}

Index parse_layout_index(std::string_view text, std::string_view document) {
  return base::with_hint("write the layout again", [&] {
    const auto json = base::parse_json(text, document);
    const JsonView root(json, std::string(document));
    check_schema_version(root, document);
    if (!is_index_by_keys(root)) {
      root.fail("it has no 'manifests', so it is not the index of an OCI layout");
    }
    return index_from(root);
  });
}

}  // namespace berth::image
