// SPDX-License-Identifier: LGPL-2.1-or-later
// berth images tag.
#pragma once

#include <string>

#include "ops/context.hpp"

namespace berth::ops {

/// Gives a stored image another name.
/// @param source name of an image or container, or beginning of an id
/// @return the new name in full
/// @throws Error(not_found), Error(usage) for an invalid name or one with a digest
std::string tag_image(Context& context, const std::string& source, const std::string& name);

}  // namespace berth::ops
