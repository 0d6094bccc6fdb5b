// SPDX-License-Identifier: LGPL-2.1-or-later
// berth images info.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "base/json_fwd.hpp"
#include "ops/context.hpp"

namespace berth::ops {

struct ImageDescription {
  store::StoredImage image;
  std::map<std::string, std::string> labels;
  std::map<std::string, std::string> defaults;  ///< variables with a default value, which --set overrides
  std::vector<std::string> required;            ///< variables without a default value, which must be set
  std::vector<std::string> provided;            ///< variables used by the image that berth sets
};

/// @param text name of an image or container, or beginning of an id
/// @throws Error(not_found)
ImageDescription describe_image(Context& context, const std::string& text);

/// berth-images-info.schema.json
base::Json to_json(const ImageDescription& description);

}  // namespace berth::ops
