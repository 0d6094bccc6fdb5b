#include "ops/images/image_change.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "image/manifest.hpp"
#include "image/reference.hpp"
#include "ops/images/image_lookup.hpp"
#include "ops/images/pull.hpp"

namespace berth::ops {

namespace {

using base::Error;
using base::ErrorKind;

void refuse_needed_layer(const store::Store& store, const store::StoredImage& layer) {
  for (const auto& image : store.images(false)) {
    if (std::find(image.layers.begin(), image.layers.end(), layer.id) != image.layers.end()) {
      throw Error(ErrorKind::conflict, fmt::format("the layer {} is part of {}", layer.id, image.name),
                  "delete the images first; berth images prune then removes their layers");
    }
  }
}

/// As podman does: an image in use keeps one name, and any but the last may go.
void refuse_last_name(const Context& context, const store::Store& store, const std::vector<store::StoredImage>& going,
                      const store::StoredImage& image) {
  const auto stays = [&](const store::StoredImage& other) {
    const bool same = other.commit == image.commit || (!image.id.empty() && other.id == image.id);
    return same && std::none_of(going.begin(), going.end(),
                                [&](const store::StoredImage& each) { return each.branch == other.branch; });
  };
  const auto images = store.images(false);
  if (std::any_of(images.begin(), images.end(), stays)) {
    return;
  }
  if (const auto users = containers_using(context, image); !users.empty()) {
    throw Error(ErrorKind::conflict, fmt::format("{} is in use by {}", image.name, fmt::join(users, ", ")),
                "uninstall them first, or use --force: they keep what they need, only the name goes");
  }
}

ImageUpdate update_one(Context& context, store::Store& store, const store::StoredImage& image,
                       const std::string& authfile) {
  ImageUpdate update{image.name, image.id, image.id, "", without_registry(image.name), std::nullopt};
  if (!update.reason.empty()) {
    update.status = "skipped";
    return update;
  }
  try {
    ImageFetcher origin(context, {image.name, authfile, platform_of(image), {}, image::Naming::as_written});
    const auto pulled = origin.pull_into(store);
    update.id_after = pulled.image.id;
    update.status = pulled.changed ? "updated" : "up to date";
  } catch (const Error& error) {
    if (error.kind() == ErrorKind::interrupted) {
      throw;
    }
    update.status = "failed";
    update.reason = error.what();
    update.error = error;
  }
  return update;
}

/// Also those of which only the branch is left.
std::vector<store::StoredImage> branches_to_delete(const Context& context, const store::Store& store,
                                                   const std::string& text) {
  if (!find_by_name(store, text)) {
    if (auto lost = find_lost(context, store, text)) {
      return {std::move(*lost)};
    }
  }
  return choose_branches(store, text);
}

}  // namespace

std::string without_registry(const std::string& name) {
  const auto parsed = image::parse_written_name(name).address();
  if (parsed.registry == "localhost") {
    return "it came from a layout or an archive";
  }
  return parsed.digest ? "its name holds a digest, so it never changes" : "";
}

std::string platform_of(const store::StoredImage& image) {
  if (image.config.empty()) {
    return {};
  }
  const auto platform = image::parse_image_config(image.config, "the configuration of " + image.name).platform;
  return platform.os.empty() || platform.architecture.empty() ? std::string() : platform.text();
}

std::string tag_image(Context& context, const std::string& source, const std::string& name) {
  const auto target =
      context.naming == image::Naming::canonical ? image::parse_image_name(name) : image::parse_written_name(name);
  if (target.digest) {
    throw Error(ErrorKind::usage, fmt::format("{} holds a digest, which cannot be given", name),
                "give a name of the form REGISTRY/REPOSITORY:TAG");
  }
  auto store = open_images(context);
  store.hold();
  const auto image = choose_image(context, store, source);
  if (image.name.empty()) {
    throw Error(ErrorKind::usage, fmt::format("{} is a layer", source), "only images have names");
  }
  store.tag(image, target);
  return target.text();
}

std::vector<std::string> delete_images(Context& context, const std::vector<std::string>& images, bool force) {
  auto store = open_images(context);
  std::vector<store::StoredImage> chosen;
  for (const auto& text : images) {
    for (auto& image : branches_to_delete(context, store, text)) {
      if (image.name.empty()) {
        refuse_needed_layer(store, image);
      }
      chosen.push_back(std::move(image));
    }
  }
  refuse_elsewhere(context, chosen, "refs");
  for (const auto& image : chosen) {
    if (!image.name.empty() && !force) {
      refuse_last_name(context, store, chosen, image);
    }
  }
  std::vector<std::string> removed;
  for (const auto& image : chosen) {
    check_stop(context.stop);
    store.remove(image.branch);
    removed.push_back(image.name.empty() ? image.id : image.name);
  }
  return removed;
}

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

}  // namespace berth::ops
