// SPDX-License-Identifier: LGPL-2.1-or-later
#include "ops/images/pull.hpp"

#include <fmt/format.h>

#include "base/error.hpp"
#include "base/json.hpp"

namespace berth::ops {

ImageFetcher::ImageFetcher(Context& context, const PullRequest& request)
    : reference_(image::parse_reference(request.image, request.naming.value_or(context.naming))),
      platform_(request.platform.empty() ? image::host_platform() : image::parse_platform(request.platform)),
      options_(source_options(context, request.authfile)) {
  options_.login = request.login;
  if (reference_.transport != image::Transport::registry) {
    source();
  }
}

image::ImageSource& ImageFetcher::source() {
  if (!source_) {
    source_ = source::open(reference_, options_);
  }
  return *source_;
}

const image::ImageName& ImageFetcher::name() const {
  return source_ ? source_->name() : reference_.name;
}

store::PullResult ImageFetcher::pull_into(store::Store& store) {
  auto result = store.pull(source(), platform_);
  warn_about_platform(result.image);
  return result;
}

/// Only an index offers a choice of platforms; an image without one may be for any platform, as in podman.
void ImageFetcher::warn_about_platform(const store::StoredImage& image) const {
  if (image.config.empty()) {
    return;  // stored by `atomic`, without its configuration
  }
  const auto platform = image::parse_image_config(image.config, "the configuration of " + image.name).platform;
  if (platform.os.empty() || platform.architecture.empty()) {
    return;  // not specified
  }
  if (!image::runs_on(platform, platform_)) {
    options_.reporter->warning(
        fmt::format("{} is built for {}, not for {}", image.name, base::printable(platform.text()), platform_.text()));
  }
}

image::ResolvedManifest ImageFetcher::resolve() {
  return source().resolve(platform_);
}

OfferedImage ImageFetcher::inspect() {
  auto resolved = resolve();
  const auto& descriptor = resolved.manifest.config;
  if (static_cast<std::uint64_t>(descriptor.size) > base::json_size_limit) {
    throw base::Error(base::ErrorKind::verification,
                      fmt::format("the configuration of {} has {} bytes, the limit is {}", name().text(),
                                  descriptor.size, base::json_size_limit));
  }
  OfferedImage offered{std::move(resolved.manifest), {}};
  const auto stream = source().open_blob(offered.manifest.config);  // it checks its size and digest
  offered.config = base::read_text(*stream, base::json_size_limit, "the configuration of " + name().text());
  return offered;
}

bool ImageFetcher::local() const {
  return reference_.transport != image::Transport::registry;
}

PresentImage ImageFetcher::ensure(store::Store& store) {
  if (local()) {
    auto pulled = pull_into(store);
    return {std::move(pulled.image), pulled.changed};
  }
  if (auto found = store.find(name())) {
    warn_about_platform(*found);
    return {std::move(*found), false};
  }
  return {pull_into(store).image, true};
}

store::PullResult pull(Context& context, const PullRequest& request) {
  ImageFetcher fetcher(context, request);
  auto store = store::Store::open(store_options(context));
  return fetcher.pull_into(store);
}

store::StoredImage pull_absent(Context& context, const PullRequest& request) {
  ImageFetcher fetcher(context, request);
  auto store = store::Store::open(store_options(context));
  return fetcher.ensure(store).image;
}

store::Store store_for_plan(Context& context, const std::string& temporary, const ImageFetcher& fetcher) {
  auto store = store::Store::open_existing(store_options(context));
  const auto found = store && !fetcher.local() ? store->look_up(fetcher.name()) : std::nullopt;
  if (found && !found->elsewhere) {
    return std::move(*store);
  }
  auto options = store_options(context, temporary);
  options.read_only = context.layout.read_only_repository();
  return store::Store::open(options);
}

base::Json to_json(const store::PullResult& result) {
  return {{"image", result.image.name},
          {"imageId", result.image.id},
          {"manifestDigest", result.image.manifest_digest},
          {"commit", result.image.commit},
          {"changed", result.changed},
          {"layersFetched", result.layers_fetched},
          {"layersPresent", result.layers_present},
          {"bytesFetched", result.bytes_fetched},
          {"skippedNodes", result.skipped_nodes}};
}

}  // namespace berth::ops
