// SPDX-License-Identifier: LGPL-2.1-or-later
// berth images list: stored images and layers.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/json_fwd.hpp"
#include "ops/context.hpp"
#include "ops/filter.hpp"

namespace berth::ops {

extern const std::vector<std::string> image_filter_keys;  ///< repo tag id type created

struct ImageRow {
  std::string repository;  ///< REGISTRY/REPOSITORY; empty for a layer
  std::string tag;
  std::string id;            ///< hex
  std::int64_t created = 0;  ///< epoch seconds
  std::int64_t size = 0;     ///< bytes unpacked, 0 when unknown
  std::string type;          ///< system, or layer for intermediate layers
  bool used = false;         ///< by an installed container
  bool dangling = false;     ///< a layer that belongs to no image
};

struct ImageQuery {
  bool all = false;  ///< intermediate layers too
  std::vector<Filter> filters;
};

std::vector<ImageRow> list_images(Context& context, const ImageQuery& query);

/// berth-images-list.schema.json
base::Json to_json(const std::vector<ImageRow>& rows);

}  // namespace berth::ops
