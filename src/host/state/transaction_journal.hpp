// SPDX-License-Identifier: LGPL-2.1-or-later
// The transaction journal: a durable record of each unfinished change, by which a later command finishes or undoes it.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/json_fwd.hpp"
#include "host/layout.hpp"

namespace berth::host {

/// Writes the record of the container `name` with a checksum, fsynced with its directory, replacing an earlier one.
/// @throws Error; the earlier record then stays, unless the disk refuses that as well
void write_journal(const Layout& layout, const std::string& name, const base::Json& record);
/// @return nullopt when there is no record. @throws Error(verification) when it does not match its checksum
std::optional<base::Json> read_journal(const Layout& layout, const std::string& name);
/// Removes the record durably, if there is one, and the directory if it is then empty.
void remove_journal(const Layout& layout, const std::string& name);
/// Removes the directory of the journal if it is empty, which a kill may have left.
void remove_empty_journals(const Layout& layout);
/// Names of the containers with a record, or with the rest of an interrupted write of one.
std::vector<std::string> list_journals(const Layout& layout);

}  // namespace berth::host
