// SPDX-License-Identifier: LGPL-2.1-or-later
#include "ops/images/delete.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <utility>

#include "base/error.hpp"
#include "ops/images/image_lookup.hpp"

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

/// An image in use keeps one name, as in podman.
void refuse_last_name(const Context& context, const store::Store& store, const std::vector<store::StoredImage>& deleted,
                      const store::StoredImage& image) {
  const auto is_kept = [&](const store::StoredImage& other) {
    const bool same = other.commit == image.commit || (!image.id.empty() && other.id == image.id);
    return same && std::none_of(deleted.begin(), deleted.end(),
                                [&](const store::StoredImage& each) { return each.branch == other.branch; });
  };
  const auto images = store.images(false);
  if (std::any_of(images.begin(), images.end(), is_kept)) {
    return;
  }
  if (const auto users = containers_using(context, image); !users.empty()) {
    throw Error(ErrorKind::conflict, fmt::format("{} is in use by {}", image.name, fmt::join(users, ", ")),
                "uninstall them first, or use --force, which deletes the name only");
  }
}

/// Includes images and layers of which only the branch is left.
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
  refuse_read_only(context, chosen, "refs");
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

}  // namespace berth::ops
