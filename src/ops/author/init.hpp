// SPDX-License-Identifier: LGPL-2.1-or-later
// berth init: creates templates for authors of images.
#pragma once

#include <string>
#include <vector>

#include "base/json_fwd.hpp"
#include "ops/author/image_preview.hpp"

namespace berth::ops {

struct InitRequest {
  std::string directory;  ///< created with its parents if needed
  PreviewRequest from;    ///< the image whose configuration is used; empty target: an example service
};

struct InitOutcome {
  std::string directory;           ///< as in the request
  std::vector<std::string> files;  ///< that were written, relative to the directory
};

/// Writes `exports` with manifest, templates and hostfs, a Containerfile, a help page and, without an image, an example
/// program.
/// @throws Error(conflict) when one of the files exists; nothing is written then
InitOutcome init(const Context& context, const InitRequest& request);

/// berth-init.schema.json
base::Json to_json(const InitOutcome& outcome);

}  // namespace berth::ops
