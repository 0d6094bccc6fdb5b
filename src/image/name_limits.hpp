// SPDX-License-Identifier: LGPL-2.1-or-later
// Limits of image names, however they are made.
#pragma once

#include <cstddef>

namespace berth::image {

/// Longest ImageName::encoded(): a branch is one file name in the repository.
inline constexpr std::size_t encoded_limit = 255;

}  // namespace berth::image
