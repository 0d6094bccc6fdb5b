// SPDX-License-Identifier: LGPL-2.1-or-later
#include "cli/terminal/progress_lines.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "cli/terminal/terminal.hpp"
#include "ops/progress.hpp"

namespace berth::cli {

namespace {

using std::chrono::seconds;

constexpr seconds memory{5};  // over which a rate is averaged
constexpr std::chrono::milliseconds between_samples{200};
constexpr std::chrono::milliseconds shortest_measure{500};  // a shorter one is meaningless
constexpr int bar_width = 20;
constexpr double longest_wait = 100.0 * 3600;  // seconds; longer forecasts are omitted

std::string bar(double share) {
  const auto full = static_cast<std::size_t>(share * bar_width);
  return fmt::format("[{}{}]", std::string(full, '#'), std::string(bar_width - full, '.'));
}

std::string rate_text(const ProgressLine& line) {
  if (line.rate < 1) {
    return {};
  }
  const auto rate = static_cast<std::uint64_t>(line.rate);
  return line.unit == base::ProgressUnit::bytes ? human_size(rate) + "/s" : fmt::format("{}/s", rate);
}

/// The remaining time, or the elapsed time if the total is unknown.
std::string time_text(const ProgressLine& line) {
  if (line.total == 0) {
    return format_duration(line.elapsed);
  }
  const auto left = static_cast<double>(line.total - std::min(line.done, line.total));
  return line.rate < 1 || left / line.rate > longest_wait
             ? ""
             : format_duration(seconds(static_cast<std::int64_t>(left / line.rate))) + " left";
}

/// Joins the parts with two blanks and omits empty ones.
std::string joined(std::initializer_list<std::string> parts) {
  std::string text;
  for (const auto& part : parts) {
    if (!part.empty()) {
      text += (text.empty() ? "" : "  ") + part;
    }
  }
  return text;
}

}  // namespace

void RateMeter::add(Time now, std::uint64_t done) {
  if (!samples_.empty() && done < samples_.back().done) {
    reset();
  }
  if (samples_.empty() || now - samples_.back().time >= between_samples) {
    samples_.push_back({now, done});
  }
  while (samples_.size() > 2 && now - samples_.front().time > memory) {
    samples_.pop_front();
  }
}

double RateMeter::rate() const {
  if (samples_.empty()) {
    return 0;
  }
  const auto time = samples_.back().time - samples_.front().time;
  if (time < shortest_measure) {
    return 0;
  }
  return static_cast<double>(samples_.back().done - samples_.front().done) /
         std::chrono::duration<double>(time).count();
}

std::string format_amount(std::uint64_t done, std::uint64_t total, base::ProgressUnit unit) {
  if (done == 0 && total == 0) {
    return {};
  }
  if (unit == base::ProgressUnit::bytes) {
    return total == 0 ? human_size(done) : fmt::format("{} of {}", human_size(done), human_size(total));
  }
  auto counted = ops::name_of(unit);
  if (std::max(done, total) == 1) {
    counted.remove_suffix(1);  // the s
  }
  return total == 0 ? fmt::format("{} {}", done, counted) : fmt::format("{} of {} {}", done, total, counted);
}

std::string format_duration(seconds duration) {
  const auto count = duration.count();
  return count >= 3600 ? fmt::format("{}:{:02}:{:02}", count / 3600, count / 60 % 60, count % 60)
                       : fmt::format("{}:{:02}", count / 60, count % 60);
}

std::string format_progress(const ProgressLine& line, std::size_t columns) {
  const double share =
      line.total == 0 ? 0 : std::min(1.0, static_cast<double>(line.done) / static_cast<double>(line.total));
  const auto percent = line.total == 0 ? std::string() : fmt::format("{:3.0f}%", share * 100);
  const auto label = fmt::format("{:<9}", line.label);
  const auto amount = format_amount(line.done, line.total, line.unit);
  const auto rate = rate_text(line);
  const auto time = time_text(line);
  const std::array candidates = {
      joined({line.name, label, line.total == 0 ? "" : bar(share), percent, amount, rate, time}),
      joined({line.name, label, percent, amount, rate, time}),
      joined({line.name, percent, amount, time}),
      joined({line.name, percent, time}),
      joined({line.name, percent.empty() ? time : percent}),
      percent.empty() ? line.name : percent,
  };
  const auto* const fitting = std::find_if(candidates.begin(), candidates.end(),
                                           [columns](const std::string& text) { return columns_of(text) <= columns; });
  return fit(fitting == candidates.end() ? candidates.back() : *fitting, columns);
}

}  // namespace berth::cli
