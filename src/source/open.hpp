// SPDX-License-Identifier: LGPL-2.1-or-later
// Opens any reference as an ImageSource.
#pragma once

#include <memory>

#include "image/image_source.hpp"
#include "source/registry/options.hpp"

namespace berth::source {

/// @throws Error; the context names the reference
std::unique_ptr<image::ImageSource> open(const image::Reference& reference, const SourceOptions& options);

}  // namespace berth::source
