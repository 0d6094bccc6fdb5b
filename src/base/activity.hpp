// SPDX-License-Identifier: LGPL-2.1-or-later
// Reports one piece of work from beginning to end.
#pragma once

#include <chrono>
#include <mutex>
#include <string>
#include <utility>

#include "base/reporter.hpp"

namespace berth::base {

/// Reports `id` as working while it lives and as done at its end, also when an error ends it.
class Activity {
 public:
  /// @param reporter must outlive it; see Progress for the others
  Activity(Reporter& reporter, std::string id, ProgressTask task, ProgressUnit unit = ProgressUnit::bytes,
           std::uint64_t total = 0)
      : reporter_(reporter) {
    progress_.id = std::move(id);
    progress_.task = task;
    progress_.total = total;
    progress_.unit = unit;
    reporter_.progress(progress_);
  }
  Activity(const Activity&) = delete;
  Activity& operator=(const Activity&) = delete;
  ~Activity() {
    progress_.phase = ProgressPhase::done;
    try {
      reporter_.progress(progress_);
    } catch (...) {
      return;  // a failed report must not turn success into failure
    }
  }

  /// Adds to the amount that is done. Several threads may call it.
  void advance(std::uint64_t amount) {
    const std::scoped_lock guard(lock_);
    progress_.done += amount;
    if (const auto now = Clock::now(); now - reported_ >= report_interval) {
      reported_ = now;
      reporter_.progress(progress_);
    }
  }

 private:
  using Clock = std::chrono::steady_clock;
  static constexpr std::chrono::milliseconds report_interval{100};  // see Progress

  Reporter& reporter_;
  Progress progress_;
  Clock::time_point reported_ = Clock::now();
  std::mutex lock_;
};

}  // namespace berth::base
