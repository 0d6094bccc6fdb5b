// SPDX-License-Identifier: LGPL-2.1-or-later
// File work relative to directory descriptors. Nothing here follows a symbolic link in the last component unless its
// comment says so; names given with a directory descriptor may have several components.
#pragma once

#include <sys/stat.h>
#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/fd.hpp"

namespace berth::base {

/// Prefix of the names of files that are being written. A crash may leave such a file; it may be removed.
inline constexpr std::string_view temporary_prefix = ".berth-tmp-";

/// A path for messages: the path of the directory, if /proc shows it, followed by `path`.
std::string full_path(int directory, std::string_view path);

/// Opens with O_CLOEXEC | O_NOFOLLOW. @throws Error naming `path`
Fd open_at(int directory, const std::string& path, int flags, mode_t mode = 0);

/// Opens a directory (O_DIRECTORY | O_RDONLY) without following a link in the last component.
Fd open_directory_at(int directory, const std::string& path);

/// As open_directory_at. @return nullopt when it does not exist
std::optional<Fd> find_directory_at(int directory, const std::string& path);

/// Opens the directory `path` of the host. Links are followed: the administrator may have replaced any directory by
/// one.
Fd open_host_directory(const std::string& path);

/// As open_host_directory. @return nullopt when it does not exist
std::optional<Fd> find_host_directory(const std::string& path);

/// Opens a file, following links as the administrator set them up. @return nullopt when it does not exist
std::optional<Fd> find_host_file_at(int directory, const std::string& path, int flags);

/// As open_host_directory, for a path relative to `directory`.
Fd open_host_directory_at(int directory, const std::string& path);

/// Opens `path` below `root` so that neither `..` nor any symbolic link in any component is followed (openat2(2)
/// RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS). A leading `/` is ignored.
/// @throws Error not_found, or verification when a link or `..` is in the way
Fd open_beneath(int root, std::string_view path, int flags, mode_t mode = 0);

/// As open_beneath, without creating. @return nullopt when `path` does not exist
std::optional<Fd> find_beneath(int root, std::string_view path, int flags);

/// Opens `path` below `root`, following links as a process chrooted into `root` would (openat2(2) RESOLVE_IN_ROOT), so
/// that nothing outside is reached.
Fd open_in_root(int root, std::string_view path, int flags);

/// As open_in_root. @return nullopt when it does not exist, or when a link on the way to it is dangling
std::optional<Fd> find_in_root(int root, std::string_view path, int flags);

/// fstatat(2) with AT_SYMLINK_NOFOLLOW; nullopt when it does not exist.
std::optional<struct stat> stat_at(int directory, const std::string& path);

/// False for a link to a directory, and when `path` does not exist.
bool is_directory_at(int directory, const std::string& path);

/// The target of a symbolic link; nullopt when `path` does not exist or is no link.
std::optional<std::string> read_link_at(int directory, const std::string& path);

/// Reads all of an open file. @param limit bytes; more is an Error(verification) naming `name`
std::string read_all(int fd, std::uint64_t limit, std::string_view name);

/// Reads a whole regular file; nullopt when it does not exist. Anything but a regular file is an Error(failed), a link
/// an Error(verification).
std::optional<std::string> read_file_at(int directory, const std::string& path, std::uint64_t limit);

/// Reads a whole file, links followed as open_in_root does; it may be a device, e.g. a link to /dev/null.
/// @param name of the file, for messages
/// @return nullopt when it does not exist
std::optional<std::string> read_file_in_root(int root, std::string_view path, std::uint64_t limit,
                                             std::string_view name);

/// Writes all bytes, retrying on EINTR and short writes.
void write_all(int fd, std::string_view bytes, std::string_view name);

/// Creates `path` with exactly `mode` (umask does not matter) and `bytes`, through a temporary file beside it, fsync
/// and rename: readers see the old file or the new one. Replaces an existing file.
void replace_file_at(int directory, const std::string& path, std::string_view bytes, mode_t mode);

/// As replace_file_at, but an existing `path` is an Error(conflict) and stays.
void create_file_at(int directory, const std::string& path, std::string_view bytes, mode_t mode);

/// Creates a symbolic link, replacing an existing link or file atomically.
void replace_link_at(int directory, const std::string& path, const std::string& target);

/// mkdir -p with exactly `mode` for created directories (umask does not matter); they are durable. Existing links to
/// directories are followed: for a relative `path` as a process chrooted into `directory` would follow them, so never
/// out of it. After a failure no created directory remains.
/// @return the components that were created, outermost first, as paths relative to `directory`
std::vector<std::string> make_directories_at(int directory, const std::string& path, mode_t mode);

/// Names in a directory without `.` and `..`, sorted bytewise.
std::vector<std::string> list_directory(int directory);

/// Removes a file, link or whole tree, if it exists. Never follows links and never crosses into a file system mounted
/// inside the tree. The tree may have any depth and width.
/// @throws Error(conflict) when something is mounted inside
void remove_tree_at(int directory, const std::string& path);

/// Removes a file or link; false when it did not exist.
bool unlink_at(int directory, const std::string& path);

/// fsync(2) of a directory or file by path, relative to `directory`.
void sync_at(int directory, const std::string& path);

/// The last and the leading components of a path: "a/b/c" → {"a/b", "c"}; "c" → {".", "c"}.
std::pair<std::string, std::string> split_path(std::string_view path);

/// Lexical check of a path from an untrusted document: splits at `/`, drops empty and `.` components.
/// @throws Error(verification) naming `document` when a component is `..`, holds NUL, or is over 255 bytes
std::vector<std::string> safe_components(std::string_view path, std::string_view document);

}  // namespace berth::base
