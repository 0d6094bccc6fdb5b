// Files that an image puts on the host: created without ever overwriting, removed only when unchanged.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>
#include <vector>

namespace berth::host {

/// One file, directory or link to be put on the host.
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
  std::string secret;  ///< of the change that makes it, see hidden_name
};

/// What create_host_file did.
struct CreatedFile {
  bool created = false;                          ///< false: something was there and was left alone
  std::string checksum;                          ///< sha256 hex of a file, or of a link's target; empty for directories
  std::vector<std::string> created_directories;  ///< parents that had to be made, outermost first, inside the root
};

/// A name in its directory for what stands for `path` while a change goes on: found again by whoever knows the secret,
/// and by nobody who might want to have that name before us. Of fixed length, so that it always fits.
/// @param secret of the change, as its note has it; empty in notes of berth before there were any
std::string hidden_name(const std::string& secret, const std::string& path);

/// Where a file waits in its directory until it is complete, when the file system knows no files without a name
/// (open(2), O_TMPFILE).
std::string unfinished_name(const std::string& secret, const std::string& destination);

/// Creates a host file atomically: a file without a name (or with unfinished_name) in the same directory, content,
/// owner, mode and xattrs (security.capability and user.*), fsync, then a name that must be free. With `share` the
/// content is cloned where the file system can (ioctl_ficlone(2)) and copied elsewhere; it is never a hard link,
/// through which an edit on the host would reach the repository. Parents are made 0755 root. Links of the host itself
/// (e.g. /bin → /usr/bin) are followed inside the root, as a process chrooted there would, and no way is gone on which
/// another user could have put something (find_trusted_directory). Nothing is left behind when it fails or when
/// something was there already.
/// @param rootfs descriptor of the deployment's rootfs (source is opened beneath it)
/// @throws Error(not_permitted) for a destination in /proc, /sys or /dev (also by way of a link) and for the root
/// itself,
///   and for an unsafe way, Error(verification) when `source` is no regular file or leads through a link
CreatedFile create_host_file(int root, int rootfs, const HostFile& file);

enum class RemoveOutcome { removed, absent, modified };

/// Removes the directories that create_host_file made as parents (CreatedFile::created_directories), innermost first,
/// as far as they are empty. Cannot fail.
void remove_parent_directories(int root, const std::vector<std::string>& created_directories) noexcept;

/// Where `destination` really is once the links of its existing parents are followed inside the root: an absolute path
/// inside the root. The last component is not followed. To be compared with directories that nothing may be put into.
/// @throws Error(verification) when `destination` has `..` in it
std::string resolve_host_path(int root, const std::string& destination);

/// Removes a recorded file if it still is what was recorded; a directory only when empty. A changed file stays. What a
/// killed create_host_file left goes too.
/// @param checksum as recorded; empty for directories @param secret of the change that made it
/// @throws Error(not_permitted) for a way that is not safe (find_trusted_directory)
RemoveOutcome remove_host_file(int root, const std::string& path, const std::string& checksum,
                               const std::string& secret = "");

/// Whether what is on the host is just what `file` would be: kind, mode, owner and content; of a directory the kind.
/// @param checksum as create_host_file would give it
bool host_is(int root, const HostFile& file, const std::string& checksum);

/// sha256 hex of a file's content, or of a link's target; nullopt when there is nothing at `path` or it is a directory.
std::optional<std::string> host_checksum(int root, const std::string& path);

/// The same of `name` in an open directory.
std::optional<std::string> checksum_in(int directory, const std::string& name);

/// The owner of the existing directory `path`; nullopt when there is none.
/// @throws Error(not_permitted) for a way that is not safe (find_trusted_directory)
std::optional<uid_t> trusted_directory_owner(int root, const std::string& path);

/// True when `path` exists inside the root (links followed inside the root, the last component not followed).
bool host_exists(int root, const std::string& path);

}  // namespace berth::host
