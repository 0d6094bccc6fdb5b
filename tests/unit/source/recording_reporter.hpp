// SPDX-License-Identifier: LGPL-2.1-or-later
// A reporter that records messages.
#pragma once

#include <mutex>
#include <string>
#include <vector>

#include "base/reporter.hpp"

namespace berth::test {

class RecordingReporter final : public base::Reporter {
 public:
  void step(std::string_view) override {}
  void progress(const base::Progress&) override {}
  void warning(std::string_view message) override {
    const std::lock_guard lock(mutex_);
    warnings_.emplace_back(message);
  }
  [[nodiscard]] std::vector<std::string> warnings() const {
    const std::lock_guard lock(mutex_);
    return warnings_;
  }

 private:
  mutable std::mutex mutex_;
  std::vector<std::string> warnings_;
};

}  // namespace berth::test
