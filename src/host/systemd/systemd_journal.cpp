// SPDX-License-Identifier: LGPL-2.1-or-later
#include "host/systemd/systemd_journal.hpp"

#include <fmt/format.h>
#include <syslog.h>
#include <systemd/sd-journal.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <memory>
#include <string_view>

#include "base/error.hpp"
#include "base/process.hpp"

namespace berth::host {

namespace {

using std::chrono::steady_clock;

/// journald reads messages from a socket: the last ones of a process that has just ended may still be in it.
constexpr std::chrono::seconds longest_sync{10};
constexpr std::chrono::milliseconds quiet_time{100};
constexpr std::chrono::milliseconds longest_wait{500};
constexpr std::size_t message_limit = 4096;      // bytes
constexpr std::size_t entry_limit = 1U << 20U;   // bytes of one field
constexpr std::uint64_t follow_slice = 200'000;  // microseconds

struct JournalCloser {
  void operator()(sd_journal* journal) const noexcept { sd_journal_close(journal); }
};
using JournalPtr = std::unique_ptr<sd_journal, JournalCloser>;

JournalPtr open_journal(const std::string& directory, const std::string& root = "") {
  sd_journal* raw = nullptr;
  int result = 0;
  if (!directory.empty()) {
    result = sd_journal_open_directory(&raw, directory.c_str(), 0);
  } else if (!root.empty()) {
    result = sd_journal_open_directory(&raw, root.c_str(), SD_JOURNAL_OS_ROOT);
  } else {
    // Including the files of users: journald stores messages by the user of a process, which may not be root in a
    // container.
    result = sd_journal_open(&raw, SD_JOURNAL_LOCAL_ONLY);
  }
  return JournalPtr(result < 0 ? nullptr : raw);
}

bool has_files(sd_journal* journal) {
  return sd_journal_has_runtime_files(journal) > 0 || sd_journal_has_persistent_files(journal) > 0;
}

/// A user who can read their own journal may be unable to read the journal of the system.
bool may_read_system_journal() {
  sd_journal* raw = nullptr;
  const int result = sd_journal_open(&raw, SD_JOURNAL_LOCAL_ONLY | SD_JOURNAL_SYSTEM);
  const JournalPtr journal(result < 0 ? nullptr : raw);
  return journal && has_files(journal.get());
}

bool add_match(sd_journal* journal, const std::string& match) {
  return sd_journal_add_match(journal, match.data(), match.size()) >= 0;
}

/// The entries that `journalctl -u` shows: messages of the unit's processes, of systemd about it, its core dumps, and
/// messages of other services of root about it.
bool match_unit(sd_journal* journal, const std::string& unit) {
  return add_match(journal, "_SYSTEMD_UNIT=" + unit) && sd_journal_add_disjunction(journal) >= 0 &&
         add_match(journal, "_PID=1") && add_match(journal, "UNIT=" + unit) &&
         sd_journal_add_disjunction(journal) >= 0 && add_match(journal, "_UID=0") &&
         add_match(journal, "COREDUMP_UNIT=" + unit) && sd_journal_add_disjunction(journal) >= 0 &&
         add_match(journal, "_UID=0") && add_match(journal, "OBJECT_SYSTEMD_UNIT=" + unit);
}

/// The same for a unit of this user's systemd, like `journalctl --user -u`.
bool match_user_unit(sd_journal* journal, const std::string& unit) {
  const auto uid = fmt::format("_UID={}", ::getuid());
  for (const auto* field : {"_SYSTEMD_USER_UNIT", "USER_UNIT", "COREDUMP_USER_UNIT", "OBJECT_SYSTEMD_USER_UNIT"}) {
    if (!add_match(journal, fmt::format("{}={}", field, unit)) || !add_match(journal, uid) ||
        sd_journal_add_disjunction(journal) < 0) {
      return false;
    }
  }
  // Processes of a container that run with a subordinate id of the user.
  return add_match(journal, "_SYSTEMD_USER_UNIT=" + unit) &&
         add_match(journal, fmt::format("_SYSTEMD_OWNER_UID={}", ::getuid()));
}

bool match(sd_journal* journal, const std::string& unit, bool own_user) {
  return own_user ? match_user_unit(journal, unit) : match_unit(journal, unit);
}

/// Makes journald store all messages written so far, which only root may request. @return whether it has
bool sync_journal() {
  base::ProcessOptions options;
  options.timeout = longest_sync;
  try {
    return base::run_process({"journalctl", "--sync"}, options).exit_code == 0;
  } catch (const base::Error&) {
    return false;  // no such program, or no journald
  }
}

void wait_for_quiet(sd_journal* journal) {
  const auto deadline = steady_clock::now() + longest_wait;
  while (steady_clock::now() < deadline) {
    const auto wait = std::chrono::duration_cast<std::chrono::microseconds>(quiet_time);
    if (sd_journal_wait(journal, static_cast<std::uint64_t>(wait.count())) == SD_JOURNAL_NOP) {
      return;
    }
  }
}

/// The content of a field of the current entry; empty without one.
std::string read_field(sd_journal* journal, const char* name, std::size_t limit) {
  const void* data = nullptr;
  std::size_t size = 0;
  if (sd_journal_get_data(journal, name, &data, &size) < 0) {
    return "";
  }
  std::string_view text(static_cast<const char*>(data), size);
  text.remove_prefix(std::min(std::string_view(name).size() + 1, text.size()));  // NAME=
  return std::string(text.substr(0, limit));
}

std::string read_message(sd_journal* journal) {
  return read_field(journal, "MESSAGE", message_limit);
}

std::int64_t time_of(sd_journal* journal) {
  std::uint64_t time = 0;
  return sd_journal_get_realtime_usec(journal, &time) < 0 ? 0 : static_cast<std::int64_t>(time);
}

LogEntry read_entry(sd_journal* journal) {
  LogEntry entry;
  entry.time = time_of(journal);
  entry.program = read_field(journal, "_COMM", message_limit);
  if (entry.program.empty()) {
    entry.program = read_field(journal, "SYSLOG_IDENTIFIER", message_limit);
  }
  entry.pid = read_field(journal, "_PID", message_limit);
  const auto priority = read_field(journal, "PRIORITY", message_limit);
  std::from_chars(priority.data(), priority.data() + priority.size(), entry.priority);
  entry.message = read_field(journal, "MESSAGE", entry_limit);
  return entry;
}

/// Moves to the first matching entry; the next sd_journal_next() moves to the one after it.
/// @return false when no existing entry matches
bool seek_first(sd_journal* journal, const LogQuery& query) {
  if (!query.last) {
    if (query.since) {
      sd_journal_seek_realtime_usec(journal, static_cast<std::uint64_t>(std::max<std::int64_t>(*query.since, 0)));
    } else {
      sd_journal_seek_head(journal);
    }
    return sd_journal_next(journal) > 0;
  }
  sd_journal_seek_tail(journal);
  // Also for zero entries: following begins after the last one.
  if (sd_journal_previous_skip(journal, std::max<std::size_t>(*query.last, 1)) <= 0) {
    sd_journal_seek_head(journal);
    return false;
  }
  while (*query.last == 0 || (query.since && time_of(journal) < *query.since)) {
    if (*query.last == 0 || sd_journal_next(journal) <= 0) {
      return false;
    }
  }
  return true;
}

[[noreturn]] void throw_no_journal() {
  if (::geteuid() != 0) {
    throw base::Error(base::ErrorKind::not_permitted, "the journal of the system cannot be read",
                      "root and the members of the group systemd-journal can read it");
  }
  throw base::Error(base::ErrorKind::failed, "there is no journal to read", "see systemd-journald.service(8)");
}

}  // namespace

std::vector<std::string> read_unit_log(const std::string& unit, std::size_t count, bool own_user,
                                       const std::string& directory, std::int64_t since) {
  const JournalPtr journal = open_journal(directory);
  if (!journal || !match(journal.get(), unit, own_user)) {
    return {};
  }
  const bool complete = directory.empty() && !own_user && sync_journal();
  if (!complete && has_files(journal.get())) {
    wait_for_quiet(journal.get());
  }
  if (sd_journal_seek_tail(journal.get()) < 0) {
    return {};
  }
  std::vector<std::string> lines;
  while (lines.size() < count && sd_journal_previous(journal.get()) > 0 && time_of(journal.get()) >= since) {
    std::string message = read_message(journal.get());
    if (!message.empty()) {
      lines.push_back(std::move(message));
    }
  }
  std::reverse(lines.begin(), lines.end());
  return lines;
}

void read_log(const LogQuery& query, const std::function<bool(const LogEntry&)>& take,
              const std::function<bool()>& go_on) {
  const JournalPtr journal = open_journal(query.directory, query.root);
  const bool others = query.own_user || !query.directory.empty() || !query.root.empty();
  if (!journal || !(others || may_read_system_journal()) || !has_files(journal.get()) ||
      !match(journal.get(), query.unit, query.own_user)) {
    throw_no_journal();
  }
  sd_journal_set_data_threshold(journal.get(), entry_limit);
  bool at_entry = seek_first(journal.get(), query);
  while (true) {
    for (; at_entry; at_entry = sd_journal_next(journal.get()) > 0) {
      if (!take(read_entry(journal.get()))) {
        return;
      }
    }
    if (!query.follow) {
      return;
    }
    // A rotation also ends the wait; the next call reads the new files.
    if (const int result = sd_journal_wait(journal.get(), follow_slice); result < 0) {
      base::throw_errno("wait for the journal", -result);
    }
    if (!go_on()) {
      return;
    }
    at_entry = sd_journal_next(journal.get()) > 0;
  }
}

base::Fd open_log_stream(const std::string& identifier) {
  return base::Fd(std::max(sd_journal_stream_fd(identifier.c_str(), LOG_INFO, 0), -1));
}

}  // namespace berth::host
