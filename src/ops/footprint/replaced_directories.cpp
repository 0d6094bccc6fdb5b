#include "ops/footprint/replaced_directories.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <set>

#include "base/error.hpp"
#include "base/file.hpp"
#include "host/files/host_file.hpp"
#include "host/files/root_directory.hpp"

namespace berth::ops {

namespace {

using base::Error;
using base::ErrorKind;

/// What the earlier deployment has below `directory`, outermost first.
std::vector<NotedFile> files_below(const SwitchRecord& note, const std::string& directory) {
  std::vector<NotedFile> below;
  for (const auto& file : note.before->files) {
    if (file.path.starts_with(directory + "/")) {
      below.push_back(file);
    }
  }
  return below;
}

std::string waiting_path(const SwitchRecord& note, const std::string& path) {
  return fmt::format("{}/{}", base::split_path(path).first, host::hidden_name(note.secret, path));
}

void check_entries(int root, const std::string& directory, const std::set<std::string>& expected,
                   const std::string& in_the_way) {
  const auto opened = host::find_trusted_directory(root, directory);
  if (!opened) {
    return;
  }
  for (const auto& name : base::list_directory(opened->get())) {
    const auto path = fmt::format("{}/{}", directory, name);
    if (!expected.contains(path)) {
      throw Error(ErrorKind::conflict,
                  fmt::format("{} is a directory that has to make way for a file, and {} in it is not the container's",
                              in_the_way, base::printable(path)),
                  "move it away, or remove it, and try again");
    }
  }
}

/// Removes what waits in the open directory, which was `directory`.
void drop_entries(int opened, const SwitchRecord& note, const std::string& directory) {
  const auto below = files_below(note, directory);
  for (auto file = below.rbegin(); file != below.rend(); ++file) {
    const auto [parent, leaf] = base::split_path(file->path.substr(directory.size() + 1));
    try {
      const auto place = base::open_beneath(opened, parent, O_RDONLY | O_DIRECTORY);
      if (file->checksum.empty()) {
        ::unlinkat(place.get(), leaf.c_str(), AT_REMOVEDIR);
      } else {
        base::unlink_at(place.get(), host::hidden_name(note.secret, file->path));
      }
    } catch (const Error& error) {
      if (error.kind() != ErrorKind::not_found) {
        throw;
      }
    }
  }
}

}  // namespace

std::vector<std::string> directories_in_the_way(const SwitchRecord& note) {
  std::vector<std::string> directories;
  if (!note.before) {
    return directories;
  }
  for (const auto& file : note.before->files) {
    const auto& next = note.after.files;
    if (file.checksum.empty() && std::any_of(next.begin(), next.end(), [&](const NotedFile& other) {
          return other.path == file.path && !other.checksum.empty();
        })) {
      directories.push_back(file.path);
    }
  }
  return directories;
}

void check_room(const Context& context, const SwitchRecord& note, const std::string& directory, bool aside) {
  const auto root = open_root(context);
  const auto below = files_below(note, directory);
  std::set<std::string> expected;
  for (const auto& file : below) {
    expected.insert(aside && !file.checksum.empty() ? waiting_path(note, file.path) : file.path);
  }
  check_entries(root.get(), directory, expected, directory);
  for (const auto& file : below) {
    if (file.checksum.empty()) {
      check_entries(root.get(), file.path, expected, directory);
    }
  }
}

void drop_room(const Context& context, const SwitchRecord& note, const std::string& directory) {
  const auto root = open_root(context);
  const auto parent = host::find_trusted_directory(root.get(), base::split_path(directory).first);
  const auto name = host::hidden_name(note.secret, directory);
  if (!parent || !base::stat_at(parent->get(), name)) {
    return;
  }
  drop_entries(base::open_directory_at(parent->get(), name).get(), note, directory);
  if (::unlinkat(parent->get(), name.c_str(), AT_REMOVEDIR) != 0) {
    context.reporter.warning(fmt::format("what somebody put into {} while it made way is kept in {}", directory,
                                         waiting_path(note, directory)));
  }
  base::sync_at(parent->get(), ".");
}

}  // namespace berth::ops
