// SPDX-License-Identifier: LGPL-2.1-or-later
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
#include "render/unit/tmpfiles.hpp"
#include "render/unit/unit.hpp"

namespace berth::ops {

namespace {

/// Whether the next boot removes it.
bool is_volatile(const std::string& path, const std::string& runtime) {
  return path.starts_with(runtime + "/") || path.starts_with("/run/") || path.starts_with("/tmp/");
}

/// Adds the paths of a deployment.
/// @param directory descriptor of the deployment
/// @param host_files gets the recorded host files
void add_paths(int directory, const std::string& name, std::vector<std::string>& paths,
               std::set<std::string>& host_files) {
  const auto lines = base::read_file_at(directory, host::tmpfiles_copy_name(name), host::deployment_text_limit);
  if (lines) {
    const auto made = render::created_tmpfiles_paths(*lines);
    paths.insert(paths.end(), made.begin(), made.end());
  }
  const auto text = base::read_file_at(directory, "info", base::json_size_limit);
  if (text) {
    const auto info = host::parse_info(*text, name + "/info");
    const auto& recorded = info.installed_files;
    host_files.insert(recorded.begin(), recorded.end());
    std::copy_if(recorded.begin(), recorded.end(), std::back_inserter(paths),
                 [&](const std::string& path) { return host::recorded_checksum(info, path).empty(); });
  }
}

/// Whether it is a file, or a directory that is not empty. Host files of the image are not counted: those that are kept
/// have a message of their own.
bool has_data(int root, const std::string& path, const std::set<std::string>& host_files) {
  if (const auto directory = host::find_directory_in_root(root, path)) {
    const auto names = base::list_directory(directory->get());
    return std::any_of(names.begin(), names.end(),
                       [&](const std::string& name) { return !host_files.contains(path + "/" + name); });
  }
  return host::host_exists(root, path);
}

/// Whether the image has host files in a directory.
bool has_host_files(const std::string& path, const std::set<std::string>& host_files) {
  const auto next = host_files.lower_bound(path + "/");
  return next != host_files.end() && next->starts_with(path + "/");
}

}  // namespace

Leftovers::Leftovers(const Context& context, const std::string& name) : context_(context), name_(name) {
  for (const int slot : {0, 1}) {
    const auto path = fmt::format("{}/{}", context.layout.deployments(), host::slot_name(name, slot));
    try {
      const auto status = base::stat_at(AT_FDCWD, path);
      if (status && S_ISDIR(status->st_mode)) {
        add_paths(base::open_directory_at(AT_FDCWD, path).get(), name, paths_, host_files_);
      }
    } catch (const base::Error&) {
      continue;  // damaged deployments can be uninstalled, too
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
    const bool shared = path == context_.layout.volumes_in_root();  // volumes of this container are below it
    if (!inside && !shared && !is_volatile(path, context_.layout.runtime_in_root()) &&
        has_data(root.get(), path, host_files_)) {
      named.insert(path);
      messages.push_back(
          fmt::format("{} is kept, because it contains {}", base::printable(path),
                      has_host_files(path, host_files_) ? "files that are not of the image" : "data of the container"));
    }
  }
  if (!host::is_preinstalled(context_.layout, name_)) {
    for (const auto& path : settings_beside(context_, name_)) {
      messages.push_back(
          fmt::format("{} is kept, and applies to the next container named {}", base::printable(path), name_));
    }
  }
  return messages;
}

}  // namespace berth::ops
