// Where a container writes on the host, and who can get at that.
#pragma once

#include <sys/types.h>

#include <string>
#include <string_view>
#include <vector>

#include "base/json.hpp"

namespace berth::render {

/// Host paths that a final config.json binds such that the container can write there, without those below /dev, /proc,
/// /run and /sys, which systemd mounts such that no setuid program works in them.
std::vector<std::string> written_places(const base::Json& config);

/// What a tmpfiles.d line makes.
struct MadeDirectory {
  std::string path;
  mode_t mode = 0755;
  uid_t uid = 0;  ///< 0 also for a name: that of a system service
  gid_t gid = 0;
};

/// The directories that tmpfiles.d(5) lines make, in their order, with the modes that they have when lines that change
/// modes have been obeyed, too. Lines with specifiers or patterns make none that is known.
std::vector<MadeDirectory> made_directories(std::string_view tmpfiles);

/// The lines with others kept out of what a container writes.
struct ClosedLines {
  std::string text;
  std::vector<std::string> changes;  ///< one sentence for each line that changed
};

/// Takes the rights of others from the directories above `places`, which the container itself never sees, and from
/// those of `places` that others may only read. Directories that every host has stay as they are, as do those that
/// others may write to: the container's own users may depend on it.
/// @param places see written_places
ClosedLines close_tmpfiles(std::string_view lines, const std::vector<std::string>& places);

}  // namespace berth::render
