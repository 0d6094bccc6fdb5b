// SPDX-License-Identifier: LGPL-2.1-or-later
// berth images delete.
#pragma once

#include <string>
#include <vector>

#include "ops/context.hpp"

namespace berth::ops {

/// Deletes image names, or layers that no image needs. The next prune frees the disk space. All names are looked up
/// before the first is deleted.
/// @param force also delete the last name of an image that a container uses; the container keeps its files
/// @return the names, and the ids of layers, that were deleted
/// @throws Error(not_found), Error(conflict) for an image in use and for an ambiguous id
std::vector<std::string> delete_images(Context& context, const std::vector<std::string>& images, bool force);

}  // namespace berth::ops
