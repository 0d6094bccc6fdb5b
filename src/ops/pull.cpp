#include "ops/pull.hpp"

#include <fmt/format.h>

#include "base/error.hpp"

namespace berth::ops {

ImageOrigin::ImageOrigin(Session& session, const PullRequest& request)
    : reference_(image::parse_reference(request.image)),
      platform_(request.platform.empty() ? image::host_platform() : image::parse_platform(request.platform)),
      options_(source_options(session, request.authfile)) {
  if (reference_.transport != image::Transport::registry) {
    source();
  }
}

image::ImageSource& ImageOrigin::source() {
  if (!source_) {
    source_ = source::open(reference_, options_);
  }
  return *source_;
}

const image::ImageName& ImageOrigin::name() const {
  return source_ ? source_->name() : reference_.name;
}

store::PullResult ImageOrigin::pull_into(store::Store& store) {
  return store.pull(source(), platform_);
}

image::ResolvedManifest ImageOrigin::resolve() {
  return source().resolve(platform_);
}

bool ImageOrigin::local() const {
  return reference_.transport != image::Transport::registry;
}

PresentImage ImageOrigin::ensure(store::Store& store) {
  if (local()) {
    auto pulled = pull_into(store);
    return {std::move(pulled.image), pulled.changed};
  }
  if (auto found = store.find(name())) {
    return {std::move(*found), false};
  }
  return {pull_into(store).image, true};
}

store::PullResult pull(Session& session, const PullRequest& request) {
  ImageOrigin origin(session, request);
  auto store = store::Store::open(store_options(session));
  return origin.pull_into(store);
}

}  // namespace berth::ops
