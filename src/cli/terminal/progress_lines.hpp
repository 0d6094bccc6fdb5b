// Progress as lines of text: pure, so that every width can be tested.
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <string>
#include <vector>

#include "base/reporter.hpp"

namespace berth::cli {

/// How fast something has been growing in the last few seconds.
class RateMeter {
 public:
  using Time = std::chrono::steady_clock::time_point;

  void add(Time now, std::uint64_t done);
  /// What was before does not count any more: the process was stopped meanwhile, or it began anew.
  void reset() { samples_.clear(); }
  /// Per second; 0 as long as nothing can be said.
  [[nodiscard]] double rate() const;

 private:
  struct Sample {
    Time time;
    std::uint64_t done;
  };
  std::deque<Sample> samples_;
};

/// What one line shows.
struct ProgressLine {
  std::string name;
  std::string label;
  std::uint64_t done = 0;
  std::uint64_t total = 0;  ///< 0: unknown; then the elapsed time is shown in place of what is left
  base::ProgressUnit unit = base::ProgressUnit::bytes;
  double rate = 0;  ///< per second
  std::chrono::seconds elapsed{0};
};

/// The line in at most `columns` columns: bar, amount, rate and remaining time, of which the least important go first.
std::string format_progress(const ProgressLine& line, std::size_t columns);

/// "12.3 MB of 45.6 MB", "120 of 340 files"; without a total "12.3 MB"; empty for nothing of nothing.
std::string format_amount(std::uint64_t done, std::uint64_t total, base::ProgressUnit unit);

/// "0:07", "12:03", "1:02:03".
std::string format_duration(std::chrono::seconds duration);

}  // namespace berth::cli
