// Folders below a root, reached as a process chrooted into that root would reach them.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/fd.hpp"

namespace berth::host {

/// Opens a folder below `root`, links followed inside the root; nullopt when it does not exist or
/// something on the way to it is no folder. @throws Error when it cannot be opened
std::optional<base::Fd> find_folder_in_root(int root, std::string_view path);

/// As find_folder_in_root, but creates what is missing, 0755 and owned by us.
/// @param created gets each folder as it is made, outermost first, as an absolute path inside the root; what was
///   made before a failure is in it too
/// @throws Error(verification) when `path` has `..` in it, Error(conflict) when a dangling link is in the way
base::Fd make_folder_in_root(int root, std::string_view path, std::vector<std::string>& created);

/// Removes folders that make_folder_in_root made, innermost first, as far as they are empty. Cannot fail.
void remove_created_folders(int root, const std::vector<std::string>& created) noexcept;

/// Where `path` leads inside the root when every link in it is followed as after a chroot: an absolute path without
/// links,
/// `.` and `..`, as long as nobody makes new ones. What does not exist yet stays as it is written, also behind a link.
/// @throws Error(failed) when links lead in a circle
std::string resolve_in_root(int root, std::string_view path);

/// Where an open file or folder below `root` really is, as an absolute path inside the root ("/" for the root itself).
/// @throws Error(failed) when it is not below the root
std::string path_inside_root(int root, int fd);

}  // namespace berth::host
