// SPDX-License-Identifier: LGPL-2.1-or-later
// berth render: shows the files that an install would write.
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

#include "base/json_fwd.hpp"
#include "ops/author/image_preview.hpp"

namespace berth::ops {

struct RenderRequest {
  PreviewRequest preview;
  std::string name;              ///< --name; empty: derived from the target
  std::vector<std::string> set;  ///< --set NAME=VALUE
  std::string runtime;           ///< --runtime
};

struct RenderedFile {
  std::string path;  ///< absolute path of the installed file
  std::string content;
  mode_t mode = 0644;
};

/// Renders config.json, the unit, the tmpfiles.d lines, and the host files that are templates.
/// @throws Error(usage) with all missing variables, and the errors of an install
std::vector<RenderedFile> render(const Context& context, const RenderRequest& request);

/// Writes the files below a directory, which is created: DIRECTORY/etc/systemd/system/NAME.service and so on.
/// @throws Error(conflict) when one of the files exists; nothing is written then
void write_rendered(const std::vector<RenderedFile>& files, const std::string& directory);

/// berth-render.schema.json
base::Json to_json(const std::vector<RenderedFile>& files);

}  // namespace berth::ops
