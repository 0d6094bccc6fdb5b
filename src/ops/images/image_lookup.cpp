// SPDX-License-Identifier: LGPL-2.1-or-later
#include "ops/images/image_lookup.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <optional>
#include <set>
#include <utility>

#include "base/error.hpp"
#include "host/state/deployment.hpp"
#include "image/manifest.hpp"
#include "image/reference.hpp"
#include "ops/images/deployments_in_use.hpp"
#include "store/ostree/refs.hpp"

namespace berth::ops {

namespace {

using base::Error;
using base::ErrorKind;

Error unknown_image(const std::string& text) {
  return {ErrorKind::not_found, fmt::format("there is no image {}", base::printable(text)),
          "berth images list shows the stored images"};
}

std::optional<store::StoredImage> look_up(const store::Store& store, const std::string& text,
                                          image::ImageName (*parse)(std::string_view)) {
  try {
    return store.look_up(parse(text));
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::usage) {
      throw;
    }
    return std::nullopt;
  }
}

bool may_be_id(const std::string& text) {
  constexpr std::size_t least = 3;  // shorter texts are more likely mistakes
  return text.size() >= least && text.find_first_not_of("0123456789abcdef") == std::string::npos;
}

std::vector<store::StoredImage> with_id(const store::Store& store, const std::string& prefix, bool with_layers) {
  if (!may_be_id(prefix)) {
    return {};
  }
  auto found = store.images(with_layers);
  std::erase_if(found, [&prefix](const store::StoredImage& image) { return !image.id.starts_with(prefix); });
  return found;
}

void refuse_several(const std::vector<store::StoredImage>& found, const std::string& prefix) {
  std::set<std::string> ids;
  for (const auto& image : found) {
    ids.insert(image.id);
  }
  if (ids.size() > 1) {
    throw Error(ErrorKind::conflict, fmt::format("the ids of {} images begin with {}", ids.size(), prefix),
                fmt::format("give more digits; they are: {}", fmt::join(ids, " ")));
  }
}

std::optional<host::Deployment> find_container(const Context& context, const std::string& text) {
  return !text.empty() && may_be_container(text) ? host::find_deployment(context.layout, text) : std::nullopt;
}

/// The image of a preinstalled container is listed with the container, but not stored.
/// @param store nullptr when there is no store
void refuse_preinstalled(const Context& context, const store::Store* store, const std::string& text) {
  const auto deployment = find_container(context, text);
  if (deployment && deployment->preinstalled &&
      !(store && store->describe(deployment->info.ostree_commit, deployment->info.image))) {
    throw Error(ErrorKind::not_found,
                fmt::format("the image of {}, which is part of the operating system, is not stored", deployment->name),
                fmt::format("its files are in {}/rootfs", deployment->path));
  }
}

std::optional<store::StoredImage> image_of_container(const Context& context, const store::Store& store,
                                                     const std::string& name) {
  const auto deployment = find_container(context, name);
  if (!deployment || deployment->info.ostree_commit.empty()) {
    return std::nullopt;
  }
  const auto& info = deployment->info;
  auto described = store.describe(info.ostree_commit, info.image);
  if (!described) {
    return std::nullopt;
  }
  for (auto& image : store.images(false)) {
    if (image.commit == info.ostree_commit) {
      return std::move(image);
    }
  }
  return described;
}

std::optional<std::string> branch_of(const std::string& text, image::ImageName (*parse)(std::string_view)) {
  try {
    return store::image_branch(parse(text));
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::usage) {
      throw;
    }
    return std::nullopt;
  }
}

/// @return image name and commit of the container that `text` names; otherwise `text` as an image name
std::pair<std::string, std::string> image_and_commit(const Context& context, const std::string& text) {
  try {
    const auto deployment = find_container(context, text);
    return deployment ? std::pair(deployment->info.image, deployment->info.ostree_commit) : std::pair(text, "");
  } catch (const Error&) {
    return {text, ""};  // a damaged deployment does not name its image
  }
}

}  // namespace

std::optional<store::StoredImage> find_lost(const Context& context, const store::Store& store,
                                            const std::string& text) {
  auto lost = store.lost();
  if (lost.empty()) {
    return std::nullopt;
  }
  const auto [name, commit] = image_and_commit(context, text);
  const auto written = branch_of(name, image::parse_written_name);
  const auto canonical = branch_of(name, image::parse_image_name);
  for (auto& image : lost) {
    const bool by_id = image.name.empty() && may_be_id(text) && image.id.starts_with(text);
    const bool by_commit = !commit.empty() && image.commit == commit;
    if (by_id || by_commit || image.branch == written || image.branch == canonical) {
      return std::move(image);
    }
  }
  return std::nullopt;
}

std::optional<store::StoredImage> find_by_name(const store::Store& store, const std::string& text) {
  auto found = look_up(store, text, image::parse_written_name);
  return found ? std::move(found) : look_up(store, text, image::parse_image_name);
}

bool may_be_container(const std::string& text) {
  return text.find_first_of("/:@") == std::string::npos;
}

store::Store open_images(const Context& context, const std::string& text) {
  if (auto store = store::Store::open_existing(store_options(context))) {
    return std::move(*store);
  }
  refuse_preinstalled(context, nullptr, text);
  throw Error(ErrorKind::not_found, "no image is stored yet", "berth pull fetches one");
}

std::optional<store::StoredImage> find_image(const Context& context, const store::Store& store,
                                             const std::string& text) {
  if (auto image = image_of_container(context, store, text)) {
    return image;
  }
  if (const auto lost = find_lost(context, store, text); lost && !find_by_name(store, text)) {
    throw Error(
        ErrorKind::verification,
        lost->commit.empty()
            ? fmt::format("the branch of {}, {}, is damaged", base::printable(text), store.branch_file(lost->branch))
            : fmt::format("{} is damaged: its commit {} is missing", base::printable(text), lost->commit),
        "restore it with berth pull or berth images repair, or remove it with berth images delete --force");
  }
  auto found = find_branches(store, text);
  return found.empty() ? std::nullopt : std::optional(std::move(found.front()));
}

store::StoredImage choose_image(const Context& context, const store::Store& store, const std::string& text) {
  refuse_preinstalled(context, &store, text);
  auto image = find_image(context, store, text);
  return image ? std::move(*image) : throw unknown_image(text);
}

std::vector<store::StoredImage> find_branches(const store::Store& store, const std::string& text) {
  if (auto image = find_by_name(store, text)) {
    return {std::move(*image)};
  }
  auto found = with_id(store, text, false);
  if (found.empty()) {
    found = with_id(store, text, true);
  }
  refuse_several(found, text);
  return found;
}

std::vector<store::StoredImage> choose_branches(const store::Store& store, const std::string& text) {
  auto found = find_branches(store, text);
  return found.empty() ? throw unknown_image(text) : std::move(found);
}

void refuse_read_only(const Context& context, const std::vector<store::StoredImage>& images, std::string_view remedy) {
  for (const auto& image : images) {
    if (image.elsewhere) {
      const auto repository = context.layout.read_only_repository();
      throw Error(ErrorKind::not_permitted,
                  fmt::format("{} is in {}, which berth only reads, because other users can enter it",
                              image.name.empty() ? image.id : image.name, repository),
                  remedy == "fsck"
                      ? fmt::format("ostree fsck --repo={} examines it", repository)
                      : fmt::format("ostree refs --repo={} --delete {} removes it", repository, image.branch));
    }
  }
}

std::vector<std::string> containers_using(const Context& context, const store::StoredImage& image) {
  std::set<std::string> names;
  for (const auto& deployment : deployments_in_use(context)) {
    const bool same = (!image.commit.empty() && deployment.commit == image.commit) ||
                      (!image.id.empty() && deployment.image_id == image.id);
    if (deployment.live && same) {
      names.insert(deployment.container);
    }
  }
  return {names.begin(), names.end()};
}

std::string no_registry_reason(const std::string& name) {
  const auto parsed = image::parse_written_name(name).address();
  if (parsed.registry == "localhost") {
    return "it came from a layout or an archive";
  }
  return parsed.digest ? "its name contains a digest, so it never changes" : "";
}

std::string platform_of(const store::StoredImage& image) {
  if (image.config.empty()) {
    return {};
  }
  const auto platform = image::parse_image_config(image.config, "the configuration of " + image.name).platform;
  return platform.os.empty() || platform.architecture.empty() ? std::string() : platform.text();
}

std::map<std::string, std::string> labels_of(const store::StoredImage& image) {
  if (image.config.empty()) {
    return {};
  }
  return image::parse_image_config(image.config, "the configuration of " + image.name).labels;
}

}  // namespace berth::ops
