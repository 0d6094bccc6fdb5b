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

/// As podman does: an index is searched for what fits, but an image without one may be of any platform.
void ImageFetcher::warn_about_platform(const store::StoredImage& image) const {
  if (image.config.empty()) {
    return;  // another tool stored it and kept no configuration
  }
  const auto platform = image::parse_image_config(image.config, "the configuration of " + image.name).platform;
  if (platform.os.empty() || platform.architecture.empty()) {
    return;  // it does not tell
  }
  if (!image::runs_on(platform, platform_)) {
    options_.reporter->warning(
        fmt::format("{} is built for {}, not for {}", image.name, base::printable(platform.text()), platform_.text()));
  }
}

image::ResolvedManifest ImageFetcher::resolve() {
  return source().resolve(platform_);
}

OfferedImage ImageFetcher::look() {
  auto resolved = resolve();
  const auto& descriptor = resolved.manifest.config;
  if (static_cast<std::uint64_t>(descriptor.size) > base::json_size_limit) {
    throw base::Error(base::ErrorKind::verification,
                      fmt::format("the configuration of {} has {} bytes, the limit is {}", name().text(),
                                  descriptor.size, base::json_size_limit));
  }
  OfferedImage offered{std::move(resolved.manifest), {}};
  const auto stream = source().open_blob(offered.manifest.config);  // which is held to its size and digest
  std::vector<std::byte> piece(std::size_t{64} << 10U);
  while (const auto count = stream->read(piece)) {
    offered.config.append(reinterpret_cast<const char*>(piece.data()), count);
  }
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
  ImageFetcher origin(context, request);
  auto store = store::Store::open(store_options(context));
  return origin.pull_into(store);
}

store::StoredImage pull_absent(Context& context, const PullRequest& request) {
  ImageFetcher origin(context, request);
  auto store = store::Store::open(store_options(context));
  return origin.ensure(store).image;
}

store::Store store_for_plan(Context& context, const std::string& throwaway, const ImageFetcher& origin) {
  auto store = store::Store::open_existing(store_options(context));
  const auto found = store && !origin.local() ? store->look_up(origin.name()) : std::nullopt;
  if (found && !found->elsewhere) {
    return std::move(*store);
  }
  auto options = store_options(context, throwaway);
  options.read_only = context.layout.read_only_repository();
  return store::Store::open(options);
}

}  // namespace berth::ops
