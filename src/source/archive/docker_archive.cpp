// SPDX-License-Identifier: LGPL-2.1-or-later
#include "source/archive/docker_archive.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <map>

#include "base/archive/decompress.hpp"
#include "base/error.hpp"
#include "base/hint.hpp"
#include "base/json.hpp"

namespace berth::source {
namespace {

constexpr auto manifest_type = "application/vnd.docker.distribution.manifest.v2+json";
constexpr auto config_type = "application/vnd.docker.container.image.v1+json";
constexpr auto layer_type = "application/vnd.docker.image.rootfs.diff.tar";
constexpr std::size_t shown_names = 10;

// A text as a stream, so that the configuration is opened like any other blob.
class TextStream final : public base::ByteStream {
 public:
  explicit TextStream(std::string text) : text_(std::move(text)) {}

  std::size_t read(std::span<std::byte> buffer) override {
    const auto count = std::min(buffer.size(), text_.size() - at_);
    const auto bytes = std::as_bytes(std::span(text_)).subspan(at_, count);
    std::copy(bytes.begin(), bytes.end(), buffer.begin());
    at_ += count;
    return count;
  }

 private:
  std::string text_;
  std::size_t at_ = 0;
};

std::string document_of(const TarFile& file) {
  return "manifest.json in " + file.path();
}

base::Json descriptor_json(const image::Descriptor& descriptor) {
  return {{"mediaType", descriptor.media_type}, {"size", descriptor.size}, {"digest", descriptor.digest.text()}};
}

std::vector<image::ImageName> names_from(const base::JsonView& entry, image::Naming naming) {
  std::vector<image::ImageName> names;
  for (const auto& tag : entry.strings_or_empty("RepoTags")) {
    try {
      names.push_back(image::parse_docker_name(tag, naming));
    } catch (const base::Error&) {
      continue;  // a name that no reference can have
    }
  }
  return names;
}

// The names in an archive are arbitrary, and may be those of images that were installed from a registry. So the image
// is named after the file, and only its tag comes from the archive. `atomic` trusts the names.
image::ImageName name_for(const image::Reference& reference, const std::vector<image::ImageName>& names) {
  if (!reference.selector.empty() || names.empty() || reference.transport == image::Transport::docker_daemon) {
    return reference.name;
  }
  if (reference.naming == image::Naming::as_written) {
    return names.front();
  }
  auto name = reference.name;
  name.tag = names.front().tag.empty() ? name.tag : names.front().tag;
  return name;
}

template <typename Entries>
std::string list_names(const Entries& entries) {
  std::vector<std::string> names;
  for (const auto& entry : entries) {
    for (const auto& name : entry.names) {
      names.push_back(name.text());
    }
  }
  const bool more = names.size() > shown_names;
  names.resize(std::min(names.size(), shown_names));
  return names.empty() ? "none has a name" : fmt::format("{}{}", fmt::join(names, ", "), more ? ", ..." : "");
}

}  // namespace

DockerArchiveSource::DockerArchiveSource(const image::Reference& reference, const std::stop_token& stop)
    : DockerArchiveSource(reference, TarFile(reference.path, stop), stop) {}

DockerArchiveSource::DockerArchiveSource(const image::Reference& reference, TarFile file, std::stop_token stop)
    : stop_(std::move(stop)), file_(std::move(file)) {
  pick(read_entries(file_, reference.naming), reference);
  read_image();
}

std::vector<DockerArchiveSource::Entry> DockerArchiveSource::read_entries(const TarFile& file, image::Naming naming) {
  const auto stream = file.open("manifest.json");
  if (!stream) {
    throw base::Error(base::ErrorKind::verification,
                      fmt::format("{} is not a Docker archive: it has no manifest.json", file.path()),
                      "use oci-archive:FILE if it is the archive of an OCI layout");
  }
  const auto document = document_of(file);
  return base::with_hint("have the archive saved again", [&] {
    const auto json = base::parse_json(base::read_text(*stream, base::json_size_limit, document), document);
    std::vector<Entry> entries;
    for (const auto& view : base::JsonView(json, document).as_array()) {
      entries.push_back({view.at("Config").as_string(), view.at("Layers").as_strings(), names_from(view, naming)});
      if (entries.back().layers.size() > image::layer_count_limit) {
        view.at("Layers").fail(fmt::format("more than {} layers", image::layer_count_limit));
      }
    }
    return entries;
  });
}

void DockerArchiveSource::pick(const std::vector<Entry>& entries, const image::Reference& reference) {
  const bool any = reference.selector.empty();
  const auto fits = [&](const Entry& entry) {
    return any || std::find(entry.names.begin(), entry.names.end(), reference.name) != entry.names.end();
  };
  const auto count = std::count_if(entries.begin(), entries.end(), fits);
  if (count == 0) {
    throw base::Error(base::ErrorKind::not_found,
                      any ? fmt::format("{} holds no image", file_.path())
                          : fmt::format("{} holds no image {}", file_.path(), reference.name.text()),
                      entries.empty() ? "have it saved again" : "images there: " + list_names(entries));
  }
  if (count > 1) {
    throw base::Error(
        base::ErrorKind::usage, fmt::format("{} holds {} images", file_.path(), count),
        fmt::format("name one of them with docker-archive:{}:NAME: {}", file_.path(), list_names(entries)));
  }
  entry_ = *std::find_if(entries.begin(), entries.end(), fits);
  name_ = name_for(reference, entry_.names);
}

std::unique_ptr<base::ByteStream> DockerArchiveSource::open_member(const std::string& name) const {
  auto stream = file_.open(name);
  if (!stream) {
    throw base::Error(
        base::ErrorKind::verification,
        fmt::format("{}: the file '{}' is missing in the archive", document_of(file_), base::printable(name)),
        "the archive is not complete; have it saved again");
  }
  return stream;
}

std::unique_ptr<base::ByteStream> DockerArchiveSource::open_layer(const std::string& name) const {
  auto stream = open_member(name);
  if (!file_.is_compressed(name)) {
    return stream;
  }
  return base::decompress(std::move(stream), {.name = fmt::format("{} in {}", base::printable(name), file_.path()),
                                              .limit = file_.unpacked_limit(),
                                              .hint = "have the image saved again"});
}

// The size of a compressed layer is known only after decompressing it; such archives are rare.
std::int64_t DockerArchiveSource::unpacked_size(const std::string& name) const {
  const auto member_size = file_.size(name);
  if (member_size && !file_.is_compressed(name)) {
    return *member_size;
  }
  std::vector<std::byte> buffer(256U << 10U);
  std::int64_t total = 0;
  const auto stream = open_layer(name);
  while (const auto count = stream->read(buffer)) {
    if (stop_.stop_requested()) {
      base::throw_interrupted();
    }
    total += static_cast<std::int64_t>(count);
  }
  return total;
}

void DockerArchiveSource::read_image() {
  const auto document = fmt::format("{} in {}", base::printable(entry_.config), file_.path());
  config_ = base::read_text(*open_member(entry_.config), base::json_size_limit, document);
  const auto config = image::parse_image_config(config_, document);
  if (config.diff_ids.size() != entry_.layers.size()) {
    throw base::Error(base::ErrorKind::verification,
                      fmt::format("{} names {} layers, but {} has {} diff ids", document_of(file_),
                                  entry_.layers.size(), document, config.diff_ids.size()),
                      "they do not belong together; save the image again");
  }
  std::map<std::string, std::int64_t> sizes;  // all layers may name one member, which may take long to decompress
  for (std::size_t at = 0; at < entry_.layers.size(); ++at) {
    const auto& member = entry_.layers[at];
    const auto known = sizes.find(member);
    const auto size = known != sizes.end() ? known->second : sizes.emplace(member, unpacked_size(member)).first->second;
    layers_.push_back({layer_type, config.diff_ids[at], size, std::nullopt, {}, {}});
    layer_of_.emplace(config.diff_ids[at], member);
  }
}

std::int64_t DockerArchiveSource::packed_size(const image::Descriptor& descriptor) const {
  return std::min(descriptor.size, file_.packed_size());
}

image::ResolvedManifest DockerArchiveSource::resolve(const image::Platform&) {
  const image::Descriptor config{
      config_type, base::digest_of(config_), static_cast<std::int64_t>(config_.size()), std::nullopt, {}, {}};
  base::Json layers = base::Json::array();
  for (const auto& layer : layers_) {
    layers.push_back(descriptor_json(layer));
  }
  const base::Json json = {
      {"schemaVersion", 2}, {"mediaType", manifest_type}, {"config", descriptor_json(config)}, {"layers", layers}};
  auto text = json.dump(2);
  auto digest = base::digest_of(text);
  return {std::move(text), std::move(digest), {config, layers_, {}}};
}

std::unique_ptr<base::ByteStream> DockerArchiveSource::open_blob(const image::Descriptor& descriptor) {
  const auto what = fmt::format("blob {} in {}", descriptor.digest.short_hex(), file_.path());
  std::unique_ptr<base::ByteStream> stream;
  if (const auto layer = layer_of_.find(descriptor.digest); layer != layer_of_.end()) {
    stream = open_layer(layer->second);
  } else if (descriptor.digest == base::digest_of(config_)) {
    stream = std::make_unique<TextStream>(config_);
  } else {
    throw base::Error(base::ErrorKind::not_found, fmt::format("{} does not exist", what), "have the image saved again");
  }
  return std::make_unique<base::VerifyingStream>(std::move(stream), descriptor.digest, descriptor.size, what);
}

}  // namespace berth::source
