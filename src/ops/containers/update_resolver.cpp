// SPDX-License-Identifier: LGPL-2.1-or-later
#include "ops/containers/update_resolver.hpp"

#include <fmt/format.h>

#include "base/error.hpp"
#include "ops/images/pull.hpp"

namespace berth::ops {

namespace {

constexpr const char* no_registry = "localhost";

}  // namespace

image::ImageName image_name_of(const host::DeploymentInfo& info) {
  return base::in_context("the image of the installed container",
                          [&] { return image::parse_written_name(info.image); });
}

bool is_of_image(const host::DeploymentInfo& info, const store::StoredImage& image) {
  const bool same_id = image.id == info.revision || image.manifest_digest == "sha256:" + info.revision;
  return same_id && image_name_of(info).text() == image.name;
}

bool UpdateResolver::has_registry(const host::DeploymentInfo& info) {
  return !info.local && image_name_of(info).address().registry != no_registry;
}

store::Store& UpdateResolver::store() {
  if (!store_) {
    store_ = store::Store::open(store_options(context_));
  }
  return *store_;
}

ChosenImage UpdateResolver::stored(const image::ImageName& name, bool local) {
  if (auto found = store().find(name)) {
    return {std::move(*found), local};
  }
  throw base::Error(base::ErrorKind::not_found, fmt::format("the image {} is not in the store", name.text()),
                    local ? "pull it from its source, e.g. berth pull oci:DIR"
                          : fmt::format("fetch it with: berth pull {}", name.text()));
}

ChosenImage UpdateResolver::choose(const host::DeploymentInfo& info, const ImageSelection& request) {
  const auto reference = request.rebase.empty() ? image_name_of(info).text() : request.rebase;
  if (request.rebase.empty() && (!request.pull || !has_registry(info))) {
    return stored(image_name_of(info), info.local);
  }
  if (const auto known = resolved_.find(reference); known != resolved_.end()) {
    return stored(known->second.name, known->second.local);
  }
  PullRequest wanted{reference, request.authfile, request.platform};
  if (request.rebase.empty()) {
    wanted.naming = image::Naming::as_written;  // the name is kept
  }
  ImageFetcher fetcher(context_, wanted);
  if (!fetcher.local() && (!request.pull || fetcher.name().registry == no_registry)) {
    return stored(fetcher.name(), false);
  }
  auto pulled = fetcher.pull_into(store());
  if (pulled.changed) {
    context_.reporter.step(fmt::format("fetched {}", pulled.image.name));
  }
  resolved_.emplace(reference, Resolved{fetcher.name(), fetcher.local()});
  return {std::move(pulled.image), fetcher.local()};
}

}  // namespace berth::ops
