// Reporter that writes to standard error: a live line on a terminal, plain lines elsewhere.
#pragma once

#include <chrono>
#include <map>
#include <mutex>
#include <string>

#include "base/reporter.hpp"

namespace berth::cli {

/// Thread-safe. The live line appears only after a second, and never together with --quiet.
class ConsoleReporter final : public base::Reporter {
 public:
  ConsoleReporter(bool quiet, bool color);
  ConsoleReporter(const ConsoleReporter&) = delete;
  ConsoleReporter& operator=(const ConsoleReporter&) = delete;
  ~ConsoleReporter() override;

  void step(std::string_view sentence) override;
  void progress(const base::Progress& progress) override;
  void warning(std::string_view sentence) override;
  /// Removes the live line, before anything else is printed.
  void clear();

 private:
  using Clock = std::chrono::steady_clock;
  void line(std::string_view text);
  void erase();
  void draw(Clock::time_point now);
  [[nodiscard]] std::string status(Clock::time_point now) const;

  std::mutex mutex_;
  const bool quiet_;
  const bool color_;
  const bool terminal_;
  const Clock::time_point begun_ = Clock::now();
  Clock::time_point drawn_{};
  bool visible_ = false;
  std::map<std::string, base::Progress> pieces_;
};

}  // namespace berth::cli
