// SPDX-License-Identifier: LGPL-2.1-or-later
// Files that an image installs on the host: created without overwriting, removed only when unchanged.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>
#include <vector>

namespace berth::host {

/// One file, directory or link to be installed on the host.
struct HostFile {
  enum class Kind { file, directory, link };
  std::string destination;  ///< absolute, inside the root
  Kind kind = Kind::file;
  mode_t mode = 0644;  ///< permission bits, setuid included
  uid_t uid = 0;
  gid_t gid = 0;
  std::optional<std::string> content;  ///< rendered template text; absent: copy `source`
  std::string source;                  ///< path below the deployment's rootfs, e.g. exports/hostfs/usr/bin/x
  std::string link_target;
  bool share = false;  ///< `source` may be cloned: same blocks on disk, but a file of its own
  std::string secret;  ///< of the change that creates it; see hidden_name
};

/// The result of create_host_file.
struct CreatedFile {
  bool created = false;                          ///< false: the path existed and was not changed
  std::string checksum;                          ///< sha256 hex of a file, or of a link's target; empty for directories
  std::vector<std::string> created_directories;  ///< created parents, outermost first, inside the root
};

/// The name, in the same directory, of the backup or replacement of `path` during a change. It depends on the secret,
/// so that recovery can compute it and another user cannot create it first. Its length is fixed, so that it always
/// fits.
/// @param secret of the change, from its journal record; empty in records of earlier versions
std::string hidden_name(const std::string& secret, const std::string& path);

/// The name of an incomplete file in its directory, on file systems without O_TMPFILE (open(2)).
std::string unfinished_name(const std::string& secret, const std::string& destination);

/// Creates a host file atomically: an unnamed file (or one with unfinished_name) in the same directory, content, owner,
/// mode and xattrs (security.capability and user.*), fsync, then the name, which must be free. With `share` the content
/// is cloned where the file system supports that (ioctl_ficlone(2)), otherwise copied; it is never a hard link, through
/// which an edit on the host would reach the repository. Missing parents are created as root with mode 0755. Links of
/// the host (e.g. /bin → /usr/bin) are followed inside the root, as in a chroot; a path that another user can change is
/// refused (find_trusted_directory). Nothing remains when it fails or when the path existed.
/// @param rootfs descriptor of the deployment's rootfs (source is opened beneath it)
/// @throws Error(not_permitted) for a destination in /proc, /sys or /dev (also through a link), for the root itself,
/// and
///   for an unsafe path; Error(verification) when `source` is not a regular file or leads through a link
CreatedFile create_host_file(int root, int rootfs, const HostFile& file);

enum class RemoveOutcome { removed, absent, modified };

/// `destination` with the links in its existing parents resolved inside the root, for comparison with directories in
/// which no file may be created. The last component is not followed. @return an absolute path inside the root
/// @throws Error(verification) when `destination` has `..` in it
std::string resolve_host_path(int root, const std::string& destination);

/// Removes a recorded file if it is unchanged; a directory only when empty. Also removes what a killed create_host_file
/// left.
/// @param checksum as recorded; empty for directories @param secret of the change that made it
/// @throws Error(not_permitted) for an unsafe path (find_trusted_directory)
RemoveOutcome remove_host_file(int root, const std::string& path, const std::string& checksum,
                               const std::string& secret = "");

/// Whether the path on the host equals `file` in kind, mode, owner and content; for a directory in kind only.
/// @param checksum as create_host_file would return it
bool host_is(int root, const HostFile& file, const std::string& checksum);

/// sha256 hex of a file's content, or of a link's target; nullopt when `path` does not exist or is a directory.
std::optional<std::string> host_checksum(int root, const std::string& path);

/// The same of `name` in an open directory.
std::optional<std::string> checksum_in(int directory, const std::string& name);

/// The owner of the directory `path`; nullopt when it does not exist.
/// @throws Error(not_permitted) for an unsafe path (find_trusted_directory)
std::optional<uid_t> trusted_directory_owner(int root, const std::string& path);

/// True when `path` exists inside the root (links followed inside the root, the last component not followed).
bool host_exists(int root, const std::string& path);

}  // namespace berth::host
