#include "ops/author/render.hpp"

#include <fcntl.h>
#include <fmt/format.h>

#include "base/error.hpp"
#include "base/file.hpp"
#include "ops/containers/install.hpp"
#include "ops/plan/plan.hpp"

namespace berth::ops {

std::vector<RenderedFile> render(const Session& session, const RenderRequest& request) {
  const DraftValues values{request.name, parse_set(request.set), request.runtime};
  const Draft draft(session, request.draft, session.reporter);
  const auto plan = base::in_context([&] { return fmt::format("rendering {}", request.draft.target); },
                                     [&] { return make_plan(draft.inputs(values)); });
  const auto layout = session.layout.of_system();
  std::vector<RenderedFile> files;
  if (!plan.config.empty()) {
    files.push_back({plan.deployment + "/config.json", plan.config, 0600});
  }
  if (plan.unit) {
    files.push_back({layout.unit_inside(plan.name), *plan.unit, 0644});
  }
  if (plan.tmpfiles) {
    files.push_back({layout.tmpfiles_inside(plan.name), *plan.tmpfiles, 0644});
  }
  for (const auto& planned : plan.files) {
    if (planned.file.content) {
      files.push_back({planned.file.destination, *planned.file.content, planned.file.mode & 0777U});
    }
  }
  return files;
}

void write_rendered(const std::vector<RenderedFile>& files, const std::string& folder) {
  base::make_folders_at(AT_FDCWD, folder, 0755);
  const auto root = base::open_host_folder(folder);
  for (const auto& file : files) {
    if (base::stat_at(root.get(), file.path.substr(1))) {
      throw base::Error(base::ErrorKind::conflict, fmt::format("{}{} exists already", folder, file.path),
                        "choose a folder that is empty or new");
    }
  }
  for (const auto& file : files) {
    const auto [parent, name] = base::split_path(file.path.substr(1));
    base::make_folders_at(root.get(), parent, 0755);
    base::create_file_at(base::open_beneath(root.get(), parent, O_RDONLY | O_DIRECTORY).get(), name, file.content,
                         file.mode);
  }
}

}  // namespace berth::ops
