// SPDX-License-Identifier: LGPL-2.1-or-later
// Host paths that a container writes to, and the access that other users have to them.
#pragma once

#include <sys/types.h>

#include <string>
#include <string_view>
#include <vector>

#include "base/json_fwd.hpp"

namespace berth::render {

/// Host paths that a final config.json binds writable, except those below /dev, /proc, /run and /sys, which systemd
/// mounts with nosuid.
std::vector<std::string> writable_host_paths(const base::Json& config);

/// A directory that a tmpfiles.d line creates.
struct MadeDirectory {
  std::string path;
  mode_t mode = 0755;
  uid_t uid = 0;  ///< 0 also for a name, which is that of a system service
  gid_t gid = 0;
};

/// The directories that tmpfiles.d(5) lines create, in order, with their modes after the lines that change modes. Lines
/// with specifiers or patterns are skipped.
std::vector<MadeDirectory> made_directories(std::string_view tmpfiles);

/// tmpfiles.d lines that keep other users out of the directories that a container writes to.
struct ClosedLines {
  std::string text;
  std::vector<std::string> changes;  ///< one message for each changed line
};

/// Removes the rights of others on the directories above `paths`, which the container itself does not see, and on those
/// of `paths` that others may only read. Directories that every host has stay unchanged, as do those that others may
/// write to, since users of the container may depend on that.
/// @param paths see writable_host_paths
ClosedLines close_tmpfiles(std::string_view lines, const std::vector<std::string>& paths);

}  // namespace berth::render
