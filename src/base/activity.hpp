// A piece of work that cannot be measured, reported for as long as it lasts.
#pragma once

#include <exception>
#include <string>
#include <utility>

#include "base/reporter.hpp"

namespace berth::base {

/// Reports `id` as working while it lives and as done at its end, also when an error ends it.
class Activity {
 public:
  /// @param reporter must outlive it; see Progress for the other two
  Activity(Reporter& reporter, std::string id, std::string label) : reporter_(reporter) {
    progress_.id = std::move(id);
    progress_.label = std::move(label);
    reporter_.progress(progress_);
  }
  Activity(const Activity&) = delete;
  Activity& operator=(const Activity&) = delete;
  ~Activity() {
    progress_.phase = ProgressPhase::done;
    try {
      reporter_.progress(progress_);
    } catch (const std::exception&) {
      return;  // no work fails because nobody could be told about its end
    }
  }

 private:
  Reporter& reporter_;
  Progress progress_;
};

}  // namespace berth::base
