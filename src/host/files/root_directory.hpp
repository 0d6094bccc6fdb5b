// SPDX-License-Identifier: LGPL-2.1-or-later
// Directories below a root, resolved as by a process that is chrooted into that root.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "base/fd.hpp"

namespace berth::host {

/// Opens a directory below `root`, following links inside the root. @throws Error when it cannot be opened
/// @return nullopt when it does not exist or a component of the path is not a directory
std::optional<base::Fd> find_directory_in_root(int root, std::string_view path);

/// As find_directory_in_root, for a directory in which something is to be changed. Each component is opened from the
/// one before. A step from a component that another user owns to one with a different owner is refused (an "unsafe path
/// transition", tmpfiles.d(5)): that user could have created it, as a link to any path, or could replace it now. Links
/// that root or the caller own are followed, and links whose target has the same owner. The root itself is trusted.
/// @throws Error(not_permitted) naming both ends of an unsafe step
std::optional<base::Fd> find_trusted_directory(int root, std::string_view path);

/// The error about an unsafe step on the path; nullopt when all are safe, or `path` does not exist.
std::optional<base::Error> danger_on_the_way(int root, const std::string& path);

/// Whether a user other than root and the caller can change the content of a directory with that owner.
bool is_of_others(uid_t owner);

/// The Error about an unsafe step. @param from of `owner` @param to its next component, or what a link leads to
base::Error unsafe_step(const std::string& from, uid_t owner, const std::string& to);

/// As find_trusted_directory, but creates missing directories, 0755 and owned by the caller.
/// @param created gets each directory as it is created, also before a failure, outermost first, as an absolute path
///   inside the root
/// @throws Error(verification) when `path` has `..` in it, Error(conflict) when a dangling link is in the way
base::Fd make_directory_in_root(int root, std::string_view path, std::vector<std::string>& created);

/// Removes those of the directories that are empty, innermost first. Cannot fail.
void remove_created_directories(int root, const std::vector<std::string>& created) noexcept;

/// Resolves all links in `path` inside the root, as after a chroot. Components that do not exist are kept as written.
/// @return an absolute path without links, `.` and `..`
/// @throws Error(failed) when links lead in a circle
std::string resolve_in_root(int root, std::string_view path);

/// The path of an open file or directory below `root`, as an absolute path inside the root ("/" for the root itself).
/// @throws Error(failed) when it is not below the root
std::string path_in_root(int root, int fd);

}  // namespace berth::host
