// SPDX-License-Identifier: LGPL-2.1-or-later
#include "source/registry/registry.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/error.hpp"
#include "base/json.hpp"
#include "source/registry/blob_stream.hpp"

namespace berth::source {
namespace {

constexpr std::size_t shown_tags = 10;

[[noreturn]] void refuse_digest(const std::string& what, const base::Digest& found, const std::string& expected,
                                const std::string& who) {
  throw base::Error(base::ErrorKind::verification,
                    fmt::format("{} has the wrong content: {} says {}, found {}", what, who, expected, found.text()),
                    "try again; if it happens again, do not trust this registry or a proxy before it");
}

// The digest that the registry announces (distribution-spec 1.1, "Pulling manifests").
void check_announced_digest(const HttpResponse& response, const std::string& text, const std::string& what) {
  const auto announced = response.header("docker-content-digest");
  if (announced.empty()) {
    return;
  }
  const auto expected = base::Digest::parse(announced, "the Docker-Content-Digest of " + what);
  if (const auto found = base::digest_of(text, expected.algorithm()); found != expected) {
    refuse_digest(what, found, expected.text(), "the registry");
  }
}

std::string accept_header() {
  std::string types;
  for (const auto& type : image::manifest_media_types()) {
    types += (types.empty() ? "" : ", ") + type;
  }
  return "Accept: " + types;
}

/// The repository name in the registry, which may differ from the name of the image.
image::Reference with_address(image::Reference reference) {
  reference.name = reference.name.address();
  return reference;
}

}  // namespace

RegistrySource::RegistrySource(const image::Reference& reference, const SourceOptions& options)
    : name_(reference.name), client_(with_address(reference), options) {}

RegistrySource::Document RegistrySource::fetch(const std::string& reference,
                                               const std::optional<base::Digest>& expected, const std::string& what) {
  const auto response = client_.get("manifests/" + reference, {accept_header()});
  if (response->status() == 404 && expected == name_.digest) {
    refuse_unknown(*response);
  }
  if (response->status() != 200) {
    client_.refuse(*response, what);
  }
  auto text = response->read_text(base::json_size_limit, what);
  check_announced_digest(*response, text, what);
  auto digest = base::digest_of(text, expected ? expected->algorithm() : base::DigestAlgorithm::sha256);
  if (expected && digest != *expected) {
    refuse_digest(what, digest, expected->text(), "the reference");
  }
  return {std::move(text), response->header("content-type"), std::move(digest)};
}

std::vector<std::string> RegistrySource::tags() {
  std::vector<std::string> result;
  try {
    const auto response = client_.get("tags/list?n=100", {"Accept: application/json"});
    if (response->status() != 200) {
      return result;
    }
    const auto json = base::parse_json(response->read_text(base::json_size_limit, "tags"), "tags");
    for (auto& tag : base::JsonView(json, "tags").strings_or_empty("tags")) {
      if (image::is_tag(tag)) {  // other text could be an escape sequence
        result.push_back(std::move(tag));
      }
    }
  } catch (const base::Error&) {
    return result;  // they are for a hint only: a registry need not list its tags
  }
  return result;
}

void RegistrySource::refuse_unknown(const HttpResponse& response) {
  auto message = fmt::format("{} does not exist in registry {}", name_.text(), response.url().location());
  const auto existing = tags();
  if (existing.empty()) {
    throw base::Error(base::ErrorKind::not_found, std::move(message), "check the name and the tag");
  }
  std::string list;
  for (std::size_t at = 0; at < std::min(existing.size(), shown_tags); ++at) {
    list += (at == 0 ? "" : ", ") + existing[at];
  }
  throw base::Error(base::ErrorKind::not_found, std::move(message),
                    fmt::format("tags there: {}{}", list, existing.size() > shown_tags ? ", ..." : ""));
}

image::ResolvedManifest RegistrySource::resolve_entry(const image::Descriptor& entry, const image::Platform& platform,
                                                      bool index_allowed) {
  const auto what = fmt::format("manifest {} of {}", entry.digest.short_hex(), name_.text());
  auto document = fetch(entry.digest.text(), entry.digest, what);
  if (static_cast<std::int64_t>(document.text.size()) != entry.size) {
    throw base::Error(base::ErrorKind::verification,
                      fmt::format("{} has {} bytes, the index says {}", what, document.text.size(), entry.size),
                      "report this to the publisher of the image");
  }
  auto parsed = image::parse_manifest(document.text, document.media_type, what);
  if (auto* manifest = std::get_if<image::Manifest>(&parsed)) {
    return {std::move(document.text), std::move(document.digest), std::move(*manifest)};
  }
  if (!index_allowed) {
    throw base::Error(base::ErrorKind::verification, fmt::format("{} is an index inside two others", what),
                      "name one of the inner images by its digest");
  }
  return resolve_entry(image::choose_platform(std::get<image::Index>(parsed), platform, what), platform, false);
}

image::ResolvedManifest RegistrySource::resolve(const image::Platform& platform) {
  const auto what = "the manifest of " + name_.text();
  auto document = fetch(name_.digest ? name_.digest->text() : name_.tag, name_.digest, what);
  auto parsed = image::parse_manifest(document.text, document.media_type, what);
  if (auto* manifest = std::get_if<image::Manifest>(&parsed)) {
    return {std::move(document.text), std::move(document.digest), std::move(*manifest)};
  }
  return resolve_entry(image::choose_platform(std::get<image::Index>(parsed), platform, name_.text()), platform, true);
}

std::unique_ptr<base::ByteStream> RegistrySource::open_blob(const image::Descriptor& descriptor) {
  const auto what = fmt::format("blob {} of {}", descriptor.digest.short_hex(), name_.text());
  return std::make_unique<base::VerifyingStream>(std::make_unique<BlobStream>(client_, descriptor, what),
                                                 descriptor.digest, descriptor.size, what);
}

}  // namespace berth::source
