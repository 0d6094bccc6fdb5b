// The durable note of an unfinished change, so that a later command can finish or undo it.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/json.hpp"
#include "host/layout.hpp"

namespace berth::host {

/// Writes the note of container `name` with a checksum, fsynced with its directory, replacing an older one.
/// @throws Error; then there is the earlier note, or none as before, unless the disk refuses that, too
void write_journal(const Layout& layout, const std::string& name, const base::Json& note);
/// nullopt when there is none. @throws Error(verification) naming the note when it is not what was written
std::optional<base::Json> read_journal(const Layout& layout, const std::string& name);
/// Removes the note durably; nothing happens when there is none. Removes the directory when that leaves it empty.
void remove_journal(const Layout& layout, const std::string& name);
/// Removes the directory of the notes when a kill left it empty.
void remove_empty_journals(const Layout& layout);
/// Names of containers with a note, or with what an interrupted write of one left.
std::vector<std::string> list_journals(const Layout& layout);

}  // namespace berth::host
