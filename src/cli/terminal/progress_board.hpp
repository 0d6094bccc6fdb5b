// SPDX-License-Identifier: LGPL-2.1-or-later
// The state of the work in progress: its items and their rates.
#pragma once

#include <chrono>
#include <string_view>
#include <vector>

#include "base/reporter.hpp"
#include "cli/terminal/progress_lines.hpp"

namespace berth::cli {

/// Tracks the items of one batch of work. A batch ends when all its items are done; the next item begins another batch.
/// Not thread-safe.
class ProgressBoard {
 public:
  using Time = RateMeter::Time;

  /// Effects of an update.
  struct Change {
    bool phase = false;                ///< the item is new, or in another phase than before
    bool ended = false;                ///< it has just been completed
    Time::duration took{};             ///< since work on it began
    Time::duration since_last_line{};  ///< since mark_line(), or since the batch began
  };

  Change update(const base::Progress& progress, Time now);
  /// Records that a line was printed about the item. @param now must not decrease
  void mark_line(std::string_view id, Time now);
  /// Whether any item is not done yet.
  [[nodiscard]] bool working() const;
  /// When the batch began.
  [[nodiscard]] Time begun() const { return begun_; }
  /// Restarts all rates, because the process was stopped meanwhile.
  void restart_meters();
  /// Updates the rates.
  /// @param most maximum number of lines; the total is kept
  /// @return the items at work in order of arrival, then the total if several items are measured in bytes
  std::vector<ProgressLine> lines(Time now, std::size_t most);
  /// The total of all items measured in bytes.
  ProgressLine total(Time now);
  void clear() { pieces_.clear(); }

 private:
  struct Piece {
    base::Progress state;
    RateMeter meter;
    Time begun;
    Time last_line;
  };
  Piece* find(std::string_view id);

  std::vector<Piece> pieces_;  ///< in order of arrival
  RateMeter meter_;
  Time begun_{};
};

}  // namespace berth::cli
