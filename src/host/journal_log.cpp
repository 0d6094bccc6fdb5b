#include "host/journal_log.hpp"

#include <systemd/sd-journal.h>

#include <algorithm>
#include <chrono>
#include <memory>
#include <string_view>

namespace berth::host {

namespace {

using std::chrono::steady_clock;

/// journald takes messages from a socket: the last words of a process that has just died may still be in it.
constexpr std::chrono::milliseconds quiet_time{100};
constexpr std::chrono::milliseconds longest_wait{500};
constexpr std::size_t message_limit = 4096;  // bytes
constexpr std::string_view field = "MESSAGE=";

struct JournalCloser {
  void operator()(sd_journal* journal) const noexcept { sd_journal_close(journal); }
};
using JournalPtr = std::unique_ptr<sd_journal, JournalCloser>;

JournalPtr open_journal(const std::string& folder) {
  sd_journal* raw = nullptr;
  const int result = folder.empty() ? sd_journal_open(&raw, SD_JOURNAL_LOCAL_ONLY | SD_JOURNAL_SYSTEM)
                                    : sd_journal_open_directory(&raw, folder.c_str(), 0);
  return JournalPtr(result < 0 ? nullptr : raw);
}

bool add_match(sd_journal* journal, const std::string& match) {
  return sd_journal_add_match(journal, match.data(), match.size()) >= 0;
}

/// What `journalctl -u` shows: what the unit's processes say, what systemd says about it, its core dumps, and what
/// other services of root say about it.
bool match_unit(sd_journal* journal, const std::string& unit) {
  return add_match(journal, "_SYSTEMD_UNIT=" + unit) && sd_journal_add_disjunction(journal) >= 0 &&
         add_match(journal, "_PID=1") && add_match(journal, "UNIT=" + unit) &&
         sd_journal_add_disjunction(journal) >= 0 && add_match(journal, "_UID=0") &&
         add_match(journal, "COREDUMP_UNIT=" + unit) && sd_journal_add_disjunction(journal) >= 0 &&
         add_match(journal, "_UID=0") && add_match(journal, "OBJECT_SYSTEMD_UNIT=" + unit);
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

std::string read_message(sd_journal* journal) {
  const void* data = nullptr;
  std::size_t size = 0;
  if (sd_journal_get_data(journal, "MESSAGE", &data, &size) < 0) {
    return "";
  }
  std::string_view text(static_cast<const char*>(data), size);
  text.remove_prefix(std::min(field.size(), text.size()));
  return std::string(text.substr(0, message_limit));
}

}  // namespace

std::vector<std::string> read_unit_log(const std::string& unit, std::size_t count, const std::string& folder) {
  const JournalPtr journal = open_journal(folder);
  if (!journal || !match_unit(journal.get(), unit)) {
    return {};
  }
  if (sd_journal_has_runtime_files(journal.get()) > 0 || sd_journal_has_persistent_files(journal.get()) > 0) {
    wait_for_quiet(journal.get());
  }
  if (sd_journal_seek_tail(journal.get()) < 0) {
    return {};
  }
  std::vector<std::string> lines;
  while (lines.size() < count && sd_journal_previous(journal.get()) > 0) {
    std::string message = read_message(journal.get());
    if (!message.empty()) {
      lines.push_back(std::move(message));
    }
  }
  std::reverse(lines.begin(), lines.end());
  return lines;
}

}  // namespace berth::host
