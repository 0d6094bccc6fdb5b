// berth init: templates to begin with, for those who make an image.
#pragma once

#include <string>
#include <vector>

#include "ops/author/image_preview.hpp"

namespace berth::ops {

struct InitRequest {
  std::string directory;  ///< created with its parents when missing
  PreviewRequest from;    ///< an image whose configuration is taken; no target: a small service of our own
};

/// Writes `exports` with manifest, templates and hostfs, a Containerfile, a help page and, without an image, a program.
/// @return what was written, relative to the directory
/// @throws Error(conflict) when one of them exists; nothing is written then
std::vector<std::string> init(const Context& context, const InitRequest& request);

}  // namespace berth::ops
