// SPDX-License-Identifier: LGPL-2.1-or-later
#include "ops/images/list.hpp"

#include <array>
#include <future>
#include <set>
#include <string_view>
#include <utility>

#include "host/state/deployment.hpp"
#include "ops/result_json.hpp"
#include "ops/timestamp.hpp"

namespace berth::ops {

namespace {

std::string filter_field(const ImageRow& row, const std::string& key) {
  if (key == "repo") {
    return row.repository;
  }
  if (key == "tag") {
    return row.tag;
  }
  if (key == "id") {
    return row.id;
  }
  return key == "type" ? row.type : rfc3339(row.created);
}

/// The images of installed containers. `atomic` recorded no IDs.
struct UsedImages {
  std::set<std::string> ids;
  std::set<std::string> names;

  void add(const host::DeploymentInfo& info) {
    if (info.revision.empty()) {
      names.insert(info.image);
    } else {
      ids.insert(info.revision);
    }
  }
  [[nodiscard]] bool hold(const store::StoredImage& image) const {
    constexpr std::string_view sha256 = "sha256:";  // `atomic` recorded the digest of the manifest as the ID
    const auto& digest = image.manifest_digest;
    return ids.contains(image.id) || names.contains(image.name) ||
           (digest.starts_with(sha256) && ids.contains(digest.substr(sha256.size())));
  }
};

ImageRow image_row(const store::StoredImage& image, const UsedImages& used) {
  ImageRow row;
  row.id = image.id;
  row.created = image.created;
  row.size = image.size;
  row.type = image.name.empty() ? "layer" : "system";
  row.used = !image.name.empty() && used.hold(image);
  if (!image.name.empty()) {
    const auto colon = image.name.rfind(':');
    const auto at = image.name.find('@');
    const auto split = at != std::string::npos ? at : colon;
    row.repository = image.name.substr(0, split);
    row.tag = split == std::string::npos ? "" : image.name.substr(split + 1);
  }
  return row;
}

}  // namespace

const std::vector<std::string> image_filter_keys = {"repo", "tag", "id", "type", "created"};

std::vector<ImageRow> list_images(Context& context, const ImageQuery& query) {
  auto store = store::Store::open_existing(store_options(context));
  if (!store) {
    return {};
  }
  static constexpr std::array<std::string_view, 2> named{"image", "revision"};
  auto deployments = std::async(std::launch::async, [&context] { return host::list_summaries(context.layout, named); });
  const auto images = store->images(query.all);
  UsedImages used;
  for (const auto& deployment : deployments.get().deployments) {
    if (!deployment.preinstalled) {  // their files do not come from the store
      used.add(deployment.info);
    }
  }
  std::set<std::string> needed_layers;
  for (const auto& image : images) {
    needed_layers.insert(image.layers.begin(), image.layers.end());
  }
  std::vector<ImageRow> rows;
  for (const auto& image : images) {
    auto row = image_row(image, used);
    row.dangling = image.name.empty() && !needed_layers.contains(image.id);
    if (match_all(query.filters, [&row](const std::string& key) { return filter_field(row, key); })) {
      rows.push_back(std::move(row));
    }
  }
  return rows;
}

base::Json to_json(const std::vector<ImageRow>& rows) {
  auto list = base::Json::array();
  for (const auto& row : rows) {
    const bool layer = row.repository.empty();
    list.push_back({{"repository", or_null(row.repository)},
                    {"tag", layer ? base::Json(nullptr) : base::Json(row.tag)},
                    {"id", row.id},
                    {"created", rfc3339(row.created)},
                    {"size", row.size},
                    {"type", row.type},
                    {"used", row.used},
                    {"dangling", row.dangling}});
  }
  return {{"images", std::move(list)}};
}

}  // namespace berth::ops
