// SPDX-License-Identifier: LGPL-2.1-or-later
// Backups of host files that a change replaces or removes. A backup has another name in the same directory and is kept
// until the change can no longer fail. The name is derived from the path and from the secret in the journal record of
// the change, so that another process finds it, and users who can write to the directory cannot create it first. Paths
// are absolute inside the root. All functions throw Error(not_permitted) for a path on which another user could have
// placed a link (host::find_trusted_directory).
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "ops/context.hpp"

namespace berth::ops {

/// Renames the file at `path` to its backup name, durably. Does nothing when it does not exist.
void back_up(const Context& context, const std::string& secret, const std::string& path);
/// Reverts back_up, whether it was done or not.
void put_back(const Context& context, const std::string& secret, const std::string& path);
/// Whether `path` has a backup.
bool is_backed_up(const Context& context, const std::string& secret, const std::string& path);
/// Finds the backup of `path` by its content, for a change whose secret is lost, and renames it to the backup name for
/// an empty secret.
/// @param checksums sha256 hex of the possible contents; empty ones are ignored
/// @param is_of_another whether a name in that directory is a backup of another change, which may have the same
///   content. It is called after the directory has been read, so that changes which begin later need not be considered.
void find_lost_backup(const Context& context, const std::string& path, const std::vector<std::string>& checksums,
                      const std::function<bool(const std::string& name)>& is_of_another);
/// Removes the backup of `path`, durably. A backup with another checksum is kept, with a warning.
/// @param checksum sha256 hex of the backup; empty when it is not known
void drop_backup(const Context& context, const std::string& secret, const std::string& path,
                 const std::string& checksum = "");
/// Renames the backup of `path` to `saved`, in the same directory, durably.
void save_backup(const Context& context, const std::string& secret, const std::string& path, const std::string& saved);

/// Writes `text` to `path`, durably and atomically.
/// @param replaces true: an existing file is backed up; false: an existing file is an Error(conflict)
void put_text(const Context& context, const std::string& secret, const std::string& path, const std::string& text,
              bool replaces);
/// Reverts put_text, whether it was done completely, partly, or not at all.
/// @param replaced the `replaces` of put_text
/// @param checksum sha256 hex of the text. A file with another content was changed since, and is kept under another
/// name.
void take_text_back(const Context& context, const std::string& secret, const std::string& path, bool replaced,
                    const std::string& checksum);

/// Removes what the change created at `path`. A file that was changed since is kept, with a warning.
/// @param checksum sha256 hex of the file; empty for a directory, which is removed when it is empty
/// @return false when something is kept
bool remove_own(const Context& context, const std::string& secret, const std::string& path,
                const std::string& checksum);

}  // namespace berth::ops
