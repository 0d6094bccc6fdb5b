#include "cli/console_reporter.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>

#include "cli/terminal.hpp"

namespace berth::cli {

namespace {

constexpr std::chrono::seconds patience{1};           // what is over sooner needs no progress
constexpr std::chrono::milliseconds frame_time{100};  // between two drawings

}  // namespace

ConsoleReporter::ConsoleReporter(bool quiet, bool color)
    : quiet_(quiet), color_(color), terminal_(::isatty(STDERR_FILENO) != 0) {}

ConsoleReporter::~ConsoleReporter() {
  clear();
}

void ConsoleReporter::step(std::string_view sentence) {
  const std::lock_guard lock(mutex_);
  if (!quiet_) {
    line(fit(sentence, sentence.size()));
  }
}

void ConsoleReporter::warning(std::string_view sentence) {
  const std::lock_guard lock(mutex_);
  line(fmt::format("{}warning:{} {}", color_ ? "\033[33m" : "", color_ ? "\033[0m" : "",
                   fit(sentence, sentence.size())));
}

void ConsoleReporter::progress(const base::Progress& progress) {
  const std::lock_guard lock(mutex_);
  auto& piece = pieces_[progress.id];
  const bool changed = piece.label != progress.label;
  piece = progress;
  if (quiet_) {
    return;
  }
  if (terminal_) {
    draw(Clock::now());
  } else if (changed) {
    line(fmt::format("layer {}: {}{}", progress.id, progress.label,
                     progress.total == 0 ? "" : fmt::format(" ({})", human_size(progress.total))));
  }
}

void ConsoleReporter::clear() {
  const std::lock_guard lock(mutex_);
  erase();
}

void ConsoleReporter::line(std::string_view text) {
  erase();
  fmt::print(stderr, "{}\n", text);
}

void ConsoleReporter::erase() {
  if (visible_) {
    fmt::print(stderr, "\r\033[K");
    std::fflush(stderr);
    visible_ = false;
  }
}

void ConsoleReporter::draw(Clock::time_point now) {
  if (now - begun_ < patience || now - drawn_ < frame_time) {
    return;
  }
  drawn_ = now;
  visible_ = true;
  // One column stays free: a full line would wrap on some terminals and then could not be erased.
  const auto width = std::max(terminal_width(STDERR_FILENO), 2U) - 1;
  fmt::print(stderr, "\r\033[K{}", fit(status(now), width));
  std::fflush(stderr);
}

std::string ConsoleReporter::status(Clock::time_point now) const {
  std::uint64_t done = 0;
  std::uint64_t total = 0;
  std::size_t complete = 0;
  for (const auto& [id, piece] : pieces_) {
    done += piece.done;
    total += piece.total;
    complete += piece.total != 0 && piece.done >= piece.total ? 1 : 0;
  }
  const auto seconds = std::chrono::duration<double>(now - begun_).count();
  const auto rate = seconds > 0 ? static_cast<double>(done) / seconds : 0;
  auto text = fmt::format("layers {}/{}  {} of {}  {}/s", complete, pieces_.size(), human_size(done), human_size(total),
                          human_size(static_cast<std::uint64_t>(rate)));
  if (rate > 0 && total > done) {
    text += fmt::format("  {:.0f} s left", static_cast<double>(total - done) / rate);
  }
  return text;
}

}  // namespace berth::cli
