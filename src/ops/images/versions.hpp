// SPDX-License-Identifier: LGPL-2.1-or-later
// berth images version.
#pragma once

#include <string>
#include <vector>

#include "base/json_fwd.hpp"
#include "ops/context.hpp"

namespace berth::ops {

struct ImageVersion {
  std::string name;
  std::string id;
  std::string version;  ///< label `version`, with `-RELEASE` when there is a label `release`; empty without them
};

/// @param texts names of images or containers, or beginnings of ids; empty: all images
/// @throws Error(not_found)
std::vector<ImageVersion> image_versions(Context& context, const std::vector<std::string>& texts);

/// berth-images-version.schema.json
base::Json to_json(const std::vector<ImageVersion>& versions);

}  // namespace berth::ops
