// SPDX-License-Identifier: LGPL-2.1-or-later
// The journal of systemd, read through sd-journal(3).
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/fd.hpp"

namespace berth::host {

/// The last `count` messages of a unit and of systemd about it, oldest first. Waits briefly for messages that journald
/// has not stored yet. Empty when there is no journal or it is not readable.
/// @param own_user the unit belongs to this user's systemd
/// @param directory a journal directory instead of the system's, when not empty
/// @param since microseconds since the epoch; earlier messages may come from another container of the same name
std::vector<std::string> read_unit_log(const std::string& unit, std::size_t count, bool own_user = false,
                                       const std::string& directory = "", std::int64_t since = 0);

/// One entry of the journal.
struct LogEntry {
  std::int64_t time = 0;  ///< microseconds since the epoch
  std::string program;    ///< name of the process, or its syslog identifier
  std::string pid;        ///< may be empty
  int priority = 6;       ///< syslog(3)
  std::string message;    ///< as written, possibly binary; truncated at 1 MiB
};

struct LogQuery {
  std::string unit;
  std::optional<std::size_t> last;    ///< at most this many existing entries
  std::optional<std::int64_t> since;  ///< microseconds since the epoch
  bool follow = false;                ///< continue with new entries
  bool own_user = false;              ///< the unit belongs to this user's systemd
  std::string directory;              ///< a journal directory instead of the system's
  std::string root;                   ///< root directory of a system instead of the running one
};

/// Passes the entries by and about a unit, like journalctl -u, oldest first, to `take`, until that returns false.
/// @param go_on called several times a second while there are no new entries; false ends the following
/// @throws Error(not_permitted) when the user may not read the journal, Error(failed) without a journal
void read_log(const LogQuery& query, const std::function<bool(const LogEntry&)>& take,
              const std::function<bool()>& go_on);

/// A descriptor whose lines become journal messages of the processes that write them (sd_journal_stream_fd(3)).
/// @return an empty Fd without a journal
base::Fd open_log_stream(const std::string& identifier);

}  // namespace berth::host
