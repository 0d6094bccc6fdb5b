// Files of the host that a change replaces or removes: they wait under another name in their own directory until the
// change cannot fail any more. The names are functions of the path and of the change's secret, which its note has:
// another process finds them again, and who may write to the directory cannot have them before us. No way is gone on
// which another user could have put something: all of these throw Error(not_permitted) instead
// (host::find_trusted_directory).
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "ops/context.hpp"

namespace berth::ops {

/// Gives the file at `path` (inside the root) its waiting name; nothing happens when there is none.
void back_up(const Context& context, const std::string& secret, const std::string& path);
/// Takes back_up back, whether it was done or not.
void put_back(const Context& context, const std::string& secret, const std::string& path);
/// Whether something waits for `path` to be put back.
bool is_backed_up(const Context& context, const std::string& secret, const std::string& path);
/// Gives what waits for `path` under a name whose secret is lost the name that needs none. It is known by its content.
/// @param checksums sha256 hex of what may wait; empty ones are passed over
/// @param is_of_another whether a name in that directory is that of another change, whose file may have the same
/// content; it is
///   asked when the directory has been read, so that a change which begins later has no name there yet
void find_waiting(const Context& context, const std::string& path, const std::vector<std::string>& checksums,
                  const std::function<bool(const std::string& name)>& is_of_another);
/// Removes what waits for `path`, durably. What is not what was put aside stays, and is named.
/// @param checksum sha256 hex of what was put aside; empty when that is not known
void drop_backup(const Context& context, const std::string& secret, const std::string& path,
                 const std::string& checksum = "");
/// Gives what waits for `path` the name `saved` (in the same directory, inside the root), durably.
void save_backup(const Context& context, const std::string& secret, const std::string& path, const std::string& saved);

/// Writes `text` to `path`, durably and at once: a reader sees the old file or the new one. An old one waits aside.
/// @param replaces false: something at `path` is an Error(conflict)
void put_text(const Context& context, const std::string& secret, const std::string& path, const std::string& text,
              bool replaces);
/// Takes put_text back, whether all, half or nothing of it was done. @param replaced as put_text was told
/// @param checksum sha256 hex of the text, by which we know our own work
void take_text_back(const Context& context, const std::string& secret, const std::string& path, bool replaced,
                    const std::string& checksum);

/// Removes what we made at `path` if it is still what we made; says so when it is not.
/// @param checksum sha256 hex; empty for a directory, which goes when it is empty
/// @return false when something that is not ours stays there
bool remove_own(const Context& context, const std::string& secret, const std::string& path,
                const std::string& checksum);

}  // namespace berth::ops
