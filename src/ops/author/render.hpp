// berth render: the files that an install would write, without installing anything.
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

#include "ops/author/image_preview.hpp"

namespace berth::ops {

struct RenderRequest {
  PreviewRequest preview;
  std::string name;              ///< --name; empty: derived from the target
  std::vector<std::string> set;  ///< --set NAME=VALUE
  std::string runtime;           ///< --runtime
};

struct RenderedFile {
  std::string path;  ///< absolute, where an install would write it
  std::string content;
  mode_t mode = 0644;
};

/// config.json, unit, tmpfiles.d lines, and the host files that are templates.
/// @throws Error with every missing variable, and what else an install of it throws
std::vector<RenderedFile> render(const Context& context, const RenderRequest& request);

/// Writes them below a directory, which is created: DIRECTORY/etc/systemd/system/NAME.service and so on.
/// @throws Error(conflict) when one of them exists; nothing is written then
void write_rendered(const std::vector<RenderedFile>& files, const std::string& directory);

}  // namespace berth::ops
