// SPDX-License-Identifier: LGPL-2.1-or-later
// Progress as lines of text. Pure functions, so that every width can be tested.
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <vector>

#include "base/reporter.hpp"

namespace berth::cli {

/// Rate of growth over the last few seconds.
class RateMeter {
 public:
  using Time = std::chrono::steady_clock::time_point;

  void add(Time now, std::uint64_t done);
  /// Forgets earlier samples, because the process was stopped meanwhile or the work started over.
  void reset() { samples_.clear(); }
  /// @return per second; 0 while it is unknown
  [[nodiscard]] double rate() const;

 private:
  struct Sample {
    Time time;
    std::uint64_t done;
  };
  std::deque<Sample> samples_;
};

/// Contents of one line.
struct ProgressLine {
  std::string name;
  std::string label;
  std::uint64_t done = 0;
  std::uint64_t total = 0;  ///< 0: unknown; the elapsed time is then shown instead of the remaining time
  base::ProgressUnit unit = base::ProgressUnit::bytes;
  double rate = 0;  ///< per second
  std::chrono::seconds elapsed{0};
};

/// The line in at most `columns` columns: bar, amount, rate and remaining time. The least important parts are omitted
/// first.
std::string format_progress(const ProgressLine& line, std::size_t columns);

/// "12.3 MB of 45.6 MB", "120 of 340 files"; without a total "12.3 MB"; empty if both are 0.
std::string format_amount(std::uint64_t done, std::uint64_t total, base::ProgressUnit unit);

/// "0:07", "12:03", "1:02:03".
std::string format_duration(std::chrono::seconds duration);

}  // namespace berth::cli
