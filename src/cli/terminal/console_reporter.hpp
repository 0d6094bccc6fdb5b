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
#include "base/json.hpp"
#include "base/reporter.hpp"
#include "cli/terminal/progress_board.hpp"

namespace berth::cli {

enum class ProgressMode { none, plain, terminal, json };

/// What `--progress` asks for: auto, tty, plain, json or none. auto is live lines when standard error is a terminal
/// that can move its cursor (not TERM=dumb), else plain lines. @throws Error(usage) for another word
ProgressMode parse_progress_mode(const std::string& word);

/// Thread-safe. Progress appears only for work of more than a second. Workers never wait for the terminal: a thread of
/// its own, started by the first progress on a terminal, draws ten times a second.
///
/// While live lines are shown the cursor rests on the first of them, so that everything from the cursor on is ours to
/// erase: no width, and no change of width, can leave a piece of a line behind.
class ConsoleReporter final : public base::Reporter {
 public:
  /// @param quiet nothing but warnings and errors
  ConsoleReporter(ProgressMode mode, bool quiet, bool color);
  ConsoleReporter(const ConsoleReporter&) = delete;
  ConsoleReporter& operator=(const ConsoleReporter&) = delete;
  ~ConsoleReporter() override;

  void step(std::string_view message) override;
  void progress(const base::Progress& progress) override;
  void warning(std::string_view message) override;  ///< the same one is shown once
  /// The last words of a command. The progress of unfinished pieces ends with them.
  void error(const base::Error& error);
  /// Forgets unfinished pieces and removes live lines, before anything else is printed.
  void clear();
  /// Removes live lines because the process is about to be stopped (Ctrl-Z), and keeps them away until resume().
  void pause();
  void resume();

 private:
  using Clock = std::chrono::steady_clock;
  void tell(const base::Progress& progress, const ProgressBoard::Change& change, Clock::time_point now);
  void tick(const std::stop_token& stop);
  void draw();
  void erase();
  void say(std::string_view text);
  void say_json(const char* type, const base::Json& members);

  const ProgressMode mode_;
  const bool quiet_;
  const bool color_;

  std::mutex output_;  ///< taken before board_mutex_ where both are
  std::set<std::string, std::less<>> warned_;
  bool visible_ = false;
  bool paused_ = false;
  Clock::time_point total_told_{};  ///< when the last plain line on the whole was written

  std::mutex board_mutex_;
  ProgressBoard board_;

  std::condition_variable_any wake_;
  std::jthread ticker_;
};

}  // namespace berth::cli
