// The system's log, read through sd-journal (sd-journal(3)).
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/fd.hpp"

namespace berth::host {

/// The last `count` messages of a unit and of systemd about it, oldest first. Waits a moment for messages that are on
/// their way. Empty when there is no journal or it may not be read.
/// @param own_user the unit is one of this user's own systemd
/// @param directory a journal directory instead of the system's, when not empty
/// @param since microseconds since the epoch; what was said before may be of another container of that name
std::vector<std::string> read_unit_log(const std::string& unit, std::size_t count, bool own_user = false,
                                       const std::string& directory = "", std::int64_t since = 0);

/// One entry of the journal.
struct LogEntry {
  std::int64_t time = 0;  ///< microseconds since the epoch
  std::string program;    ///< name of the process, or what it calls itself
  std::string pid;        ///< may be empty
  int priority = 6;       ///< syslog(3)
  std::string message;    ///< as written, so perhaps no text; cut at 1 MiB
};

struct LogQuery {
  std::string unit;
  std::optional<std::size_t> last;    ///< only so many of the entries there are
  std::optional<std::int64_t> since;  ///< microseconds since the epoch
  bool follow = false;                ///< then those to come
  bool own_user = false;              ///< the unit is one of this user's own systemd
  std::string directory;              ///< a journal directory instead of the system's
  std::string root;                   ///< the system in this directory instead of the running one
};

/// Gives what was said by and about a unit, as journalctl -u does, oldest first, to `take`, until that returns false.
/// @param go_on asked a few times a second while there is nothing new; false ends the following
/// @throws Error(not_permitted) when the user may not read the journal, Error(failed) when there is none
void read_log(const LogQuery& query, const std::function<bool(const LogEntry&)>& take,
              const std::function<bool()>& go_on);

/// A descriptor whose lines go to the journal as messages of the processes that write them (sd_journal_stream_fd(3)).
/// @return nothing when there is no journal
base::Fd open_log_stream(const std::string& identifier);

}  // namespace berth::host
