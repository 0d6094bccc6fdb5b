// SPDX-License-Identifier: LGPL-2.1-or-later
// Reporter that writes to standard error: live lines on a terminal, plain lines or JSON elsewhere.
#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <set>
#include <string>
#include <string_view>
#include <thread>

#include "base/error.hpp"
#include "base/json_fwd.hpp"
#include "base/reporter.hpp"
#include "cli/terminal/progress_board.hpp"

namespace berth::cli {

enum class ProgressMode { none, plain, terminal, json };

/// The mode of `--progress`: auto, tty, plain, json or none. auto means live lines when standard error is a terminal
/// with a movable cursor (not TERM=dumb), else plain lines. @throws Error(usage) for any other value
ProgressMode parse_progress_mode(const std::string& word);

/// Thread-safe. Progress is shown only for work that takes more than a second. Workers never wait for the terminal: a
/// separate thread, started by the first progress on a terminal, draws ten times a second.
///
/// While live lines are shown, the cursor rests on the first of them. Everything from the cursor to the end of the
/// screen can then be erased, so no part of a line remains, even if the width of the terminal changes.
class ConsoleReporter final : public base::Reporter {
 public:
  /// @param quiet print only warnings and errors
  ConsoleReporter(ProgressMode mode, bool quiet, bool color);
  ConsoleReporter(const ConsoleReporter&) = delete;
  ConsoleReporter& operator=(const ConsoleReporter&) = delete;
  ~ConsoleReporter() override;

  void step(std::string_view message) override;
  void progress(const base::Progress& progress) override;
  void warning(std::string_view message) override;  ///< repeated warnings are printed once
  /// Prints the error that ends a command, after removing the progress of unfinished items.
  void error(const base::Error& error);
  /// As error, for a command that was interrupted by the user.
  void interrupted(const base::Interrupted& stop);
  /// Discards unfinished items and removes live lines. To be called before printing to standard output.
  void clear();
  /// Removes live lines before the process is stopped (Ctrl-Z). They stay hidden until resume().
  void pause();
  void resume();

 private:
  using Clock = std::chrono::steady_clock;
  void report_progress(const base::Progress& progress, const ProgressBoard::Change& change, Clock::time_point now);
  void tick(const std::stop_token& stop);
  void draw();
  void erase();
  void say(std::string_view text);
  void report(std::string_view message, const std::string& details, const std::string& hint, int code);
  void say_json(const char* type, const base::Json& members);

  const ProgressMode mode_;
  const bool quiet_;
  const bool color_;

  std::mutex output_;  ///< locked before board_mutex_ where both are needed
  std::set<std::string, std::less<>> warned_;
  bool visible_ = false;
  bool paused_ = false;
  Clock::time_point total_reported_{};  ///< time of the last plain line about the total

  std::mutex board_mutex_;
  ProgressBoard board_;

  std::condition_variable_any wake_;
  std::jthread ticker_;
};

}  // namespace berth::cli
