// Directories below a root, reached as a process chrooted into that root would reach them.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "base/fd.hpp"

namespace berth::host {

/// Opens a directory below `root`, links followed inside the root; nullopt when it does not exist or
/// something on the way to it is no directory. @throws Error when it cannot be opened
std::optional<base::Fd> find_directory_in_root(int root, std::string_view path);

/// As find_directory_in_root, for a directory in which something is to be changed. It is reached component by
/// component, each opened from the one before, and the way may not lead from something that another user owns to
/// something with yet another owner: that user could have put it there, as a link to anywhere, or could put something
/// else there now. Links of root, and those of whoever runs us, are followed; so is a link to what has the same owner
/// as the link. (tmpfiles.d(5) calls such a way an unsafe path transition.) The root itself is trusted, for the caller
/// named it.
/// @throws Error(not_permitted) naming both ends of an unsafe step
std::optional<base::Fd> find_trusted_directory(int root, std::string_view path);

/// What is unsafe about the way to the last component of `path`; nullopt when nothing is, or it does not exist.
std::optional<base::Error> danger_on_the_way(int root, const std::string& path);

/// Whether another user than root and ourselves may change what a directory of that owner holds.
bool is_of_others(uid_t owner);

/// The Error about an unsafe step. @param from of `owner` @param to its next component, or what a link leads to
base::Error unsafe_step(const std::string& from, uid_t owner, const std::string& to);

/// As find_trusted_directory, but creates what is missing, 0755 and owned by us.
/// @param created gets each directory as it is made, outermost first, as an absolute path inside the root; what was
///   made before a failure is in it too
/// @throws Error(verification) when `path` has `..` in it, Error(conflict) when a dangling link is in the way
base::Fd make_directory_in_root(int root, std::string_view path, std::vector<std::string>& created);

/// Removes directories that make_directory_in_root made, innermost first, as far as they are empty. Cannot fail.
void remove_created_directories(int root, const std::vector<std::string>& created) noexcept;

/// Where `path` leads inside the root when every link in it is followed as after a chroot: an absolute path without
/// links,
/// `.` and `..`, as long as nobody makes new ones. What does not exist yet stays as it is written, also behind a link.
/// @throws Error(failed) when links lead in a circle
std::string resolve_in_root(int root, std::string_view path);

/// Where an open file or directory below `root` really is, as an absolute path inside the root ("/" for the root
/// itself).
/// @throws Error(failed) when it is not below the root
std::string path_in_root(int root, int fd);

}  // namespace berth::host
