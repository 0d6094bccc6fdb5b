// SPDX-License-Identifier: LGPL-2.1-or-later
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

/// The files of the earlier deployment below `directory`, outermost first.
std::vector<RecordedFile> files_below(const SwitchRecord& record, const std::string& directory) {
  std::vector<RecordedFile> below;
  for (const auto& file : record.before->files) {
    if (file.path.starts_with(directory + "/")) {
      below.push_back(file);
    }
  }
  return below;
}

std::string backup_path(const SwitchRecord& record, const std::string& path) {
  return fmt::format("{}/{}", base::split_path(path).first, host::hidden_name(record.secret, path));
}

void check_entries(int root, const std::string& directory, const std::set<std::string>& expected,
                   const std::string& replaced) {
  const auto opened = host::find_trusted_directory(root, directory);
  if (!opened) {
    return;
  }
  for (const auto& name : base::list_directory(opened->get())) {
    const auto path = fmt::format("{}/{}", directory, name);
    if (!expected.contains(path)) {
      throw Error(ErrorKind::conflict,
                  fmt::format("the directory {} is to be replaced by a file, and {} does not belong to the container",
                              replaced, base::printable(path)),
                  "move it away, or remove it, and try again");
    }
  }
}

/// Removes the backups in a replaced directory.
/// @param opened descriptor of the directory under its backup name
/// @param directory its former path
void drop_entries(int opened, const SwitchRecord& record, const std::string& directory) {
  const auto below = files_below(record, directory);
  for (auto file = below.rbegin(); file != below.rend(); ++file) {
    const auto [parent, leaf] = base::split_path(file->path.substr(directory.size() + 1));
    const auto directory_above = base::find_beneath(opened, parent, O_RDONLY | O_DIRECTORY);
    if (!directory_above) {
      continue;
    }
    if (file->checksum.empty()) {
      ::unlinkat(directory_above->get(), leaf.c_str(), AT_REMOVEDIR);
    } else {
      base::unlink_at(directory_above->get(), host::hidden_name(record.secret, file->path));
    }
  }
}

}  // namespace

std::vector<std::string> replaced_directories(const SwitchRecord& record) {
  std::vector<std::string> directories;
  if (!record.before) {
    return directories;
  }
  for (const auto& file : record.before->files) {
    const auto& next = record.after.files;
    if (file.checksum.empty() && std::any_of(next.begin(), next.end(), [&](const RecordedFile& other) {
          return other.path == file.path && !other.checksum.empty();
        })) {
      directories.push_back(file.path);
    }
  }
  return directories;
}

void check_replaceable(const Context& context, const SwitchRecord& record, const std::string& directory,
                       bool backed_up) {
  const auto root = open_root(context);
  const auto below = files_below(record, directory);
  std::set<std::string> expected;
  for (const auto& file : below) {
    expected.insert(backed_up && !file.checksum.empty() ? backup_path(record, file.path) : file.path);
  }
  check_entries(root.get(), directory, expected, directory);
  for (const auto& file : below) {
    if (file.checksum.empty()) {
      check_entries(root.get(), file.path, expected, directory);
    }
  }
}

void drop_replaced_directory(const Context& context, const SwitchRecord& record, const std::string& directory) {
  const auto root = open_root(context);
  const auto parent = host::find_trusted_directory(root.get(), base::split_path(directory).first);
  const auto name = host::hidden_name(record.secret, directory);
  if (!parent || !base::stat_at(parent->get(), name)) {
    return;
  }
  drop_entries(base::open_directory_at(parent->get(), name).get(), record, directory);
  if (::unlinkat(parent->get(), name.c_str(), AT_REMOVEDIR) != 0) {
    context.reporter.warning(fmt::format("files that were added to {} while it was being replaced are kept in {}",
                                         directory, backup_path(record, directory)));
  }
  base::sync_at(parent->get(), ".");
}

}  // namespace berth::ops
