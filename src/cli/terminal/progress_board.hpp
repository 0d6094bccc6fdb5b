// What is going on, as a whole: the pieces of the present work, and how fast they go.
#pragma once

#include <chrono>
#include <string_view>
#include <vector>

#include "base/reporter.hpp"
#include "cli/terminal/progress_lines.hpp"

namespace berth::cli {

/// Keeps the pieces of one batch of work. A batch ends when all its pieces are done; the next piece begins another.
/// Not for use from several threads.
class ProgressBoard {
 public:
  using Time = RateMeter::Time;

  /// What an update meant.
  struct Change {
    bool phase = false;                ///< the piece is new, or in another phase than before
    bool ended = false;                ///< it was not done before, and is now
    Time::duration took{};             ///< since it began to work
    Time::duration since_last_line{};  ///< since mark_line(), or since the batch began
  };

  Change update(const base::Progress& progress, Time now);
  /// Remembers that something was written about the piece. @param now must not go back
  void mark_line(std::string_view id, Time now);
  /// Whether a piece is not done yet.
  [[nodiscard]] bool working() const;
  /// When the batch began.
  [[nodiscard]] Time begun() const { return begun_; }
  /// The process was stopped meanwhile: rates begin anew.
  void restart_meters();
  /// Takes the present rates and gives the pieces at work, first come first, and after them, when the batch has several
  /// measured in bytes, a line for all of those. Never more than `most` lines; the last stays.
  std::vector<ProgressLine> lines(Time now, std::size_t most);
  /// All pieces measured in bytes together.
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

  std::vector<Piece> pieces_;  ///< in the order in which they came
  RateMeter meter_;
  Time begun_{};
};

}  // namespace berth::cli
