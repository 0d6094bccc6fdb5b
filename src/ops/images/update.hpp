// SPDX-License-Identifier: LGPL-2.1-or-later
// berth images update.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "base/json_fwd.hpp"
#include "ops/context.hpp"

namespace berth::ops {

struct ImageUpdate {
  std::string name;
  std::string id_before;
  std::string id_after;
  std::string status;                ///< updated, up to date, skipped, failed
  std::string reason;                ///< why it was skipped or failed
  std::optional<base::Error> error;  ///< of one that failed
};

struct ImageUpdateRequest {
  std::vector<std::string> images;  ///< empty: all
  std::string authfile;
};

/// Pulls the present versions from the registries. A failure does not stop the updates of the other images.
/// @throws Error(not_found) before anything is fetched, when an image is not stored; Interrupted
std::vector<ImageUpdate> update_images(Context& context, const ImageUpdateRequest& request);

/// berth-images-update.schema.json
base::Json to_json(const std::vector<ImageUpdate>& updates);

}  // namespace berth::ops
