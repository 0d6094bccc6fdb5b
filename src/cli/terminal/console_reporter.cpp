// SPDX-License-Identifier: LGPL-2.1-or-later
#include "cli/terminal/console_reporter.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>

#include "base/json.hpp"
#include "base/shown_text.hpp"
#include "cli/terminal/exit_code.hpp"
#include "cli/terminal/terminal.hpp"
#include "ops/progress.hpp"

namespace berth::cli {

namespace {

using base::Progress;
using base::ProgressUnit;

constexpr std::chrono::seconds patience{1};              // shorter work shows no progress
constexpr std::chrono::milliseconds frame_time{100};     // between two drawings
constexpr std::chrono::seconds plain_interval{5};        // between two plain lines about the total
constexpr std::chrono::milliseconds json_interval{250};  // between two JSON lines about one item
constexpr std::size_t most_lines = 10;
constexpr std::size_t plain_columns = 79;

/// A background process must not draw over the output of the foreground process.
bool in_foreground() {
  const auto group = ::tcgetpgrp(STDERR_FILENO);
  return group == -1 || group == ::getpgrp();
}

bool can_move_cursor() {
  const char* term = std::getenv("TERM");
  return ::isatty(STDERR_FILENO) != 0 && term != nullptr && *term != '\0' && std::string_view(term) != "dumb";
}

void write_out(std::string_view text) {
  std::fwrite(text.data(), 1, text.size(), stderr);
  std::fflush(stderr);
}

}  // namespace

ProgressMode parse_progress_mode(const std::string& word) {
  if (word == "auto") {
    return can_move_cursor() ? ProgressMode::terminal : ProgressMode::plain;
  }
  if (word == "tty") {
    return ProgressMode::terminal;
  }
  if (word == "plain" || word == "json") {
    return word == "plain" ? ProgressMode::plain : ProgressMode::json;
  }
  if (word == "none") {
    return ProgressMode::none;
  }
  throw base::Error(base::ErrorKind::usage, fmt::format("unknown --progress={}", word),
                    "use auto, tty, plain, json or none");
}

ConsoleReporter::ConsoleReporter(ProgressMode mode, bool quiet, bool color)
    : mode_(mode), quiet_(quiet), color_(color) {}

ConsoleReporter::~ConsoleReporter() {
  if (ticker_.joinable()) {
    ticker_.request_stop();
    ticker_.join();
  }
  clear();
}

void ConsoleReporter::step(std::string_view message) {
  if (quiet_) {
    return;
  }
  const std::lock_guard lock(output_);
  if (mode_ == ProgressMode::json) {
    say_json("step", {{"message", message}});
  } else {
    say(base::shown_line(message));
  }
}

void ConsoleReporter::warning(std::string_view message) {
  const std::lock_guard lock(output_);
  if (!warned_.emplace(message).second) {
    return;
  }
  if (mode_ == ProgressMode::json) {
    say_json("warning", {{"message", message}});
  } else {
    say(fmt::format("{}warning:{} {}", color_ ? "\033[33m" : "", color_ ? "\033[0m" : "", base::shown_line(message)));
  }
}

void ConsoleReporter::error(const base::Error& error) {
  report(error.what(), error.details(), error.hint(), exit_code(error.kind()));
}

void ConsoleReporter::interrupted(const base::Interrupted& stop) {
  report("interrupted", "", stop.hint(), exit_interrupted);
}

void ConsoleReporter::report(std::string_view message, const std::string& details, const std::string& hint, int code) {
  clear();
  const std::lock_guard lock(output_);
  if (mode_ == ProgressMode::json) {
    base::Json members = {{"message", message}, {"hint", hint}, {"exitCode", code}};
    if (!details.empty()) {
      members["details"] = details;
    }
    say_json("error", members);
    return;
  }
  say(fmt::format("{}berth:{} {}", color_ ? "\033[1;31m" : "", color_ ? "\033[0m" : "", base::shown_text(message)));
  if (!details.empty()) {
    say(base::indented(base::shown_text(details)));
  }
  if (!hint.empty()) {
    say(fmt::format("{}hint:{} {}", color_ ? "\033[1m" : "", color_ ? "\033[0m" : "", base::shown_text(hint)));
  }
}

void ConsoleReporter::progress(const Progress& progress) {
  // People need no line about the steps of a change: they are quick, and those that take time, e.g. the start of a
  // unit, report their own progress.
  const bool shown = mode_ == ProgressMode::json || progress.unit != ProgressUnit::steps;
  if (quiet_ || mode_ == ProgressMode::none || !shown) {
    return;
  }
  const auto now = Clock::now();
  if (mode_ != ProgressMode::terminal) {
    const std::scoped_lock lock(output_, board_mutex_);
    report_progress(progress, board_.update(progress, now), now);
    return;
  }
  bool working = false;
  {
    const std::lock_guard lock(board_mutex_);
    board_.update(progress, now);
    working = board_.working();
    if (working && !ticker_.joinable()) {
      ticker_ = std::jthread([this](const std::stop_token& stop) { tick(stop); });
    }
  }
  if (!working) {
    const std::lock_guard lock(output_);
    erase();
  }
}

/// In plain mode, prints a line when an item of known size is done, and regularly a line about the total.
void ConsoleReporter::report_progress(const Progress& progress, const ProgressBoard::Change& change,
                                      Clock::time_point now) {
  if (mode_ == ProgressMode::json) {
    if (change.phase || change.since_last_line >= json_interval) {
      board_.mark_line(progress.id, now);
      say_json("progress", ops::to_json(progress));
    }
    return;
  }
  const auto amount = format_amount(progress.total, 0, progress.unit);
  if (change.ended && !amount.empty()) {
    const auto text = fmt::format("{}: {} ({})", progress.id, ops::label_of(progress), amount);
    say(base::shown_line(text));
  }
  const auto total = board_.total(now);  // updates the rate
  if (total.total != 0 && board_.working() && now - std::max(total_reported_, board_.begun()) >= plain_interval) {
    total_reported_ = now;
    say(format_progress(total, plain_columns));
  }
}

void ConsoleReporter::clear() {
  const std::lock_guard lock(output_);
  {
    const std::lock_guard board(board_mutex_);
    board_.clear();
  }
  erase();
}

void ConsoleReporter::pause() {
  const std::lock_guard lock(output_);
  paused_ = true;
  erase();
}

void ConsoleReporter::resume() {
  const std::lock_guard lock(output_);
  const std::lock_guard board(board_mutex_);
  paused_ = false;
  board_.restart_meters();
}

void ConsoleReporter::tick(const std::stop_token& stop) {
  std::unique_lock lock(output_);
  while (!wake_.wait_for(lock, stop, frame_time, [] { return false; }) && !stop.stop_requested()) {
    draw();
  }
}

/// Draws all lines with one write. The last column stays free, because a full line would wrap on some terminals. Then
/// erases the remains of the previous lines, and moves the cursor back to the first line.
void ConsoleReporter::draw() {
  if (paused_ || !in_foreground()) {
    return;
  }
  const auto size = terminal_size(STDERR_FILENO);
  if (size.columns < 2 || size.rows < 2) {
    erase();
    return;
  }
  std::string text = "\r";
  std::size_t count = 0;
  {
    const std::lock_guard board(board_mutex_);
    const auto now = Clock::now();
    if (!board_.working() || now - board_.begun() < patience) {
      return;
    }
    for (const auto& line : board_.lines(now, std::min<std::size_t>(most_lines, size.rows - 1))) {
      text += fmt::format("{}{}\033[K", count == 0 ? "" : "\r\n", format_progress(line, size.columns - 1));
      ++count;
    }
  }
  if (count > 0) {
    text += "\033[J\r";
    text += count > 1 ? fmt::format("\033[{}A", count - 1) : "";
    write_out(text);
    visible_ = true;
  }
}

void ConsoleReporter::erase() {
  if (visible_) {
    write_out("\r\033[J");
    visible_ = false;
  }
}

void ConsoleReporter::say(std::string_view text) {
  const bool was_visible = visible_;
  erase();
  write_out(fmt::format("{}\n", text));
  if (was_visible) {
    draw();
  }
}

void ConsoleReporter::say_json(const char* type, const base::Json& members) {
  base::Json line = {{"type", type}};
  line.update(members);
  say(line.dump(-1, ' ', true, base::Json::error_handler_t::replace));
}

}  // namespace berth::cli
