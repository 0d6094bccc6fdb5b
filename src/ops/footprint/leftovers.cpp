#include "ops/footprint/leftovers.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <iterator>
#include <set>

#include "base/error.hpp"
#include "base/file.hpp"
#include "host/files/host_file.hpp"
#include "host/files/root_directory.hpp"
#include "host/state/deployment.hpp"
#include "ops/footprint/installed_unit.hpp"
#include "render/unit/unit.hpp"

namespace berth::ops {

namespace {

/// Gone with the next boot.
bool is_fleeting(const std::string& path, const std::string& runtime) {
  return path.starts_with(runtime + "/") || path.starts_with("/run/") || path.starts_with("/tmp/");
}

/// Of the deployment in the open directory. @param brought gets what the image put on the host
void add_paths(int directory, const std::string& name, std::vector<std::string>& paths,
               std::set<std::string>& brought) {
  const auto lines = base::read_file_at(directory, fmt::format("tmpfiles-{}.conf", name), host::deployment_text_limit);
  if (lines) {
    const auto made = render::created_tmpfiles_paths(*lines);
    paths.insert(paths.end(), made.begin(), made.end());
  }
  const auto text = base::read_file_at(directory, "info", base::json_size_limit);
  if (text) {
    const auto info = host::parse_info(*text, name + "/info");
    const auto& recorded = info.installed_files;
    brought.insert(recorded.begin(), recorded.end());
    std::copy_if(recorded.begin(), recorded.end(), std::back_inserter(paths),
                 [&](const std::string& path) { return host::recorded_checksum(info, path).empty(); });
  }
}

/// Whether somebody's work is in it: a file, or a directory with something in it. What the image brought is named
/// itself when it stays.
bool holds_something(int root, const std::string& path, const std::set<std::string>& brought) {
  if (const auto directory = host::find_directory_in_root(root, path)) {
    const auto names = base::list_directory(directory->get());
    return std::any_of(names.begin(), names.end(),
                       [&](const std::string& name) { return !brought.contains(path + "/" + name); });
  }
  return host::host_exists(root, path);
}

/// Whether the image has files of its own in a directory.
bool holds_files_of_image(const std::string& path, const std::set<std::string>& brought) {
  const auto next = brought.lower_bound(path + "/");
  return next != brought.end() && next->starts_with(path + "/");
}

}  // namespace

Leftovers::Leftovers(const Context& context, const std::string& name) : context_(context), name_(name) {
  for (const int slot : {0, 1}) {
    const auto path = fmt::format("{}/{}", context.layout.deployments(), host::slot_name(name, slot));
    try {
      const auto status = base::stat_at(AT_FDCWD, path);
      if (status && S_ISDIR(status->st_mode)) {
        add_paths(base::open_directory_at(AT_FDCWD, path).get(), name, paths_, brought_);
      }
    } catch (const base::Error&) {
      continue;  // a damaged deployment can be removed, too
    }
  }
}

std::vector<std::string> Leftovers::remarks() const {
  std::vector<std::string> messages;
  std::set<std::string> named;
  const auto root = open_root(context_);
  auto paths = paths_;
  std::sort(paths.begin(), paths.end());  // directories before what is in them
  for (const auto& path : paths) {
    const bool inside = std::any_of(named.begin(), named.end(),
                                    [&](const std::string& outer) { return path.starts_with(outer + "/"); });
    const bool of_all = path == context_.layout.volumes_in_root();  // what is this container's is below it
    if (!inside && !of_all && !is_fleeting(path, context_.layout.runtime_in_root()) &&
        holds_something(root.get(), path, brought_)) {
      named.insert(path);
      messages.push_back(
          fmt::format("{} stays, with what {}", base::printable(path),
                      holds_files_of_image(path, brought_) ? "the image did not bring" : "the container kept there"));
    }
  }
  if (!host::is_preinstalled(context_.layout, name_)) {
    for (const auto& path : settings_beside(context_, name_)) {
      messages.push_back(
          fmt::format("{} stays, and holds for the next container named {}", base::printable(path), name_));
    }
  }
  return messages;
}

}  // namespace berth::ops
