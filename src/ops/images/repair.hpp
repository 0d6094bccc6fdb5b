// berth images repair: good objects in place of damaged ones, in the store and in the containers.
#pragma once

#include <string>
#include <vector>

#include "ops/context.hpp"

namespace berth::ops {

struct MendedContainer {
  std::string container;  ///< empty for a view or a deployment in the making
  bool live = false;
  std::string path;                ///< its root file system
  std::vector<std::string> files;  ///< absolute in the image
};

struct RepairOutcome {
  std::string name;
  std::size_t damaged = 0;
  std::size_t layers = 0;  ///< fetched again
  std::vector<MendedContainer> mended;
};

/// @param text an image or container as images verify takes them; or SOURCE:IMAGE, a layout or archive that has what is
///   stored under its name
/// @throws Error(not_found), Error(conflict) when what is at the source is another image
RepairOutcome repair_image(Context& context, const std::string& text, const std::string& authfile);

}  // namespace berth::ops
