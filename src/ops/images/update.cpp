// SPDX-License-Identifier: LGPL-2.1-or-later
#include "ops/images/update.hpp"

#include "base/json.hpp"
#include "ops/images/image_lookup.hpp"
#include "ops/images/pull.hpp"

namespace berth::ops {

namespace {

using base::Error;
using base::ErrorKind;

ImageUpdate update_one(Context& context, store::Store& store, const store::StoredImage& image,
                       const std::string& authfile) {
  ImageUpdate update{image.name, image.id, image.id, "", no_registry_reason(image.name), std::nullopt};
  if (!update.reason.empty()) {
    update.status = "skipped";
    return update;
  }
  try {
    ImageFetcher fetcher(context, {image.name, authfile, platform_of(image), {}, image::Naming::as_written});
    const auto pulled = fetcher.pull_into(store);
    update.id_after = pulled.image.id;
    update.status = pulled.changed ? "updated" : "up to date";
  } catch (const Error& error) {
    update.status = "failed";
    update.reason = error.what();
    update.error = error;
  }
  return update;
}

}  // namespace

std::vector<ImageUpdate> update_images(Context& context, const ImageUpdateRequest& request) {
  auto store = open_images(context);
  std::vector<store::StoredImage> chosen;
  for (const auto& text : request.images) {
    chosen.push_back(choose_image(context, store, text));
  }
  if (request.images.empty()) {
    chosen = store.images(false);
  }
  std::vector<ImageUpdate> updates;
  for (const auto& image : chosen) {
    check_stop(context.stop);
    updates.push_back(update_one(context, store, image, request.authfile));
  }
  return updates;
}

base::Json to_json(const std::vector<ImageUpdate>& updates) {
  auto list = base::Json::array();
  for (const auto& update : updates) {
    list.push_back({{"image", update.name},
                    {"idBefore", update.id_before},
                    {"idAfter", update.id_after},
                    {"status", update.status},
                    {"reason", update.reason}});
  }
  return {{"images", std::move(list)}};
}

}  // namespace berth::ops
