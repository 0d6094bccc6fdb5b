// SPDX-License-Identifier: LGPL-2.1-or-later
#include "ops/author/render.hpp"

#include <fcntl.h>
#include <fmt/format.h>

#include "base/error.hpp"
#include "base/file.hpp"
#include "base/json.hpp"
#include "ops/containers/install.hpp"
#include "ops/plan/plan.hpp"

namespace berth::ops {

std::vector<RenderedFile> render(const Context& context, const RenderRequest& request) {
  const PreviewValues values{request.name, parse_set(request.set), request.runtime};
  const ImagePreview preview(context, request.preview, context.reporter);
  const auto plan = base::in_context([&] { return fmt::format("rendering {}", request.preview.target); },
                                     [&] { return make_plan(preview.inputs(values)); });
  const auto layout = context.layout.of_system();
  std::vector<RenderedFile> files;
  if (!plan.config.empty()) {
    files.push_back({plan.deployment + "/config.json", plan.config, 0600});
  }
  if (plan.unit) {
    files.push_back({layout.unit_in_root(plan.name), *plan.unit, 0644});
  }
  if (plan.tmpfiles) {
    files.push_back({layout.tmpfiles_in_root(plan.name), *plan.tmpfiles, 0644});
  }
  for (const auto& planned : plan.files) {
    if (planned.file.content) {
      files.push_back({planned.file.destination, *planned.file.content, planned.file.mode & 0777U});
    }
  }
  return files;
}

void write_rendered(const std::vector<RenderedFile>& files, const std::string& directory) {
  base::make_directories_at(AT_FDCWD, directory, 0755);
  const auto root = base::open_host_directory(directory);
  for (const auto& file : files) {
    if (base::stat_at(root.get(), file.path.substr(1))) {
      throw base::Error(base::ErrorKind::conflict, fmt::format("{}{} exists already", directory, file.path),
                        "choose a directory that is empty or new");
    }
  }
  for (const auto& file : files) {
    const auto [parent, name] = base::split_path(file.path.substr(1));
    base::make_directories_at(root.get(), parent, 0755);
    base::create_file_at(base::open_beneath(root.get(), parent, O_RDONLY | O_DIRECTORY).get(), name, file.content,
                         file.mode);
  }
}

base::Json to_json(const std::vector<RenderedFile>& files) {
  auto list = base::Json::array();
  for (const auto& file : files) {
    list.push_back({{"path", file.path}, {"mode", fmt::format("{:04o}", file.mode)}, {"content", file.content}});
  }
  return {{"files", std::move(list)}};
}

}  // namespace berth::ops
