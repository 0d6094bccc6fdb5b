// SPDX-License-Identifier: LGPL-2.1-or-later
// berth images repair: replaces damaged objects in the store and damaged files of containers.
#pragma once

#include <string>
#include <vector>

#include "base/json_fwd.hpp"
#include "ops/context.hpp"

namespace berth::ops {

struct MendedContainer {
  std::string container;  ///< empty for a view or a staging directory
  bool live = false;
  std::string path;                ///< its root file system
  std::vector<std::string> files;  ///< absolute in the image
};

struct RepairOutcome {
  std::string name;
  std::size_t damaged = 0;
  std::size_t layers = 0;  ///< that were fetched again
  std::vector<MendedContainer> mended;
};

/// @param text name of an image or container, or beginning of an ID; or SOURCE:IMAGE, a layout or archive with the
///   image that is stored under its name
/// @throws Error(not_found), Error(conflict) when the source has another image
RepairOutcome repair_image(Context& context, const std::string& text, const std::string& authfile);

/// berth-images-repair.schema.json
base::Json to_json(const RepairOutcome& outcome);

}  // namespace berth::ops
