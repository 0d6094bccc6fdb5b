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

/// What the earlier deployment has below `folder`, outermost first.
std::vector<NotedFile> files_below(const SwitchNote& note, const std::string& folder) {
  std::vector<NotedFile> below;
  for (const auto& file : note.before->files) {
    if (file.path.starts_with(folder + "/")) {
      below.push_back(file);
    }
  }
  return below;
}

std::string waiting_path(const SwitchNote& note, const std::string& path) {
  return fmt::format("{}/{}", base::split_path(path).first, host::hidden_name(note.secret, path));
}

void check_entries(int root, const std::string& folder, const std::set<std::string>& expected,
                   const std::string& in_the_way) {
  const auto opened = host::find_trusted_folder(root, folder);
  if (!opened) {
    return;
  }
  for (const auto& name : base::list_folder(opened->get())) {
    const auto path = fmt::format("{}/{}", folder, name);
    if (!expected.contains(path)) {
      throw Error(ErrorKind::conflict,
                  fmt::format("{} is a folder that has to make way for a file, and {} in it is not the container's",
                              in_the_way, base::printable(path)),
                  "move it away, or remove it, and try again");
    }
  }
}

/// Removes what waits in the open folder, which was `folder`.
void drop_entries(int opened, const SwitchNote& note, const std::string& folder) {
  const auto below = files_below(note, folder);
  for (auto file = below.rbegin(); file != below.rend(); ++file) {
    const auto [parent, leaf] = base::split_path(file->path.substr(folder.size() + 1));
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

std::vector<std::string> folders_in_the_way(const SwitchNote& note) {
  std::vector<std::string> folders;
  if (!note.before) {
    return folders;
  }
  for (const auto& file : note.before->files) {
    const auto& next = note.after.files;
    if (file.checksum.empty() && std::any_of(next.begin(), next.end(), [&](const NotedFile& other) {
          return other.path == file.path && !other.checksum.empty();
        })) {
      folders.push_back(file.path);
    }
  }
  return folders;
}

void check_room(const Session& session, const SwitchNote& note, const std::string& folder, bool aside) {
  const auto root = open_root(session);
  const auto below = files_below(note, folder);
  std::set<std::string> expected;
  for (const auto& file : below) {
    expected.insert(aside && !file.checksum.empty() ? waiting_path(note, file.path) : file.path);
  }
  check_entries(root.get(), folder, expected, folder);
  for (const auto& file : below) {
    if (file.checksum.empty()) {
      check_entries(root.get(), file.path, expected, folder);
    }
  }
}

void drop_room(const Session& session, const SwitchNote& note, const std::string& folder) {
  const auto root = open_root(session);
  const auto parent = host::find_trusted_folder(root.get(), base::split_path(folder).first);
  const auto name = host::hidden_name(note.secret, folder);
  if (!parent || !base::stat_at(parent->get(), name)) {
    return;
  }
  drop_entries(base::open_folder_at(parent->get(), name).get(), note, folder);
  if (::unlinkat(parent->get(), name.c_str(), AT_REMOVEDIR) != 0) {
    session.reporter.warning(
        fmt::format("what somebody put into {} while it made way is kept in {}", folder, waiting_path(note, folder)));
  }
  base::sync_at(parent->get(), ".");
}

}  // namespace berth::ops
