// SPDX-License-Identifier: LGPL-2.1-or-later
#include "cli/terminal/progress_board.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "ops/progress.hpp"

namespace berth::cli {

namespace {

using base::ProgressPhase;
using base::ProgressUnit;

bool is_measured_in_bytes(const base::Progress& progress) {
  return progress.unit == ProgressUnit::bytes && progress.total != 0;
}

std::chrono::seconds whole_seconds(RateMeter::Time::duration duration) {
  return std::chrono::duration_cast<std::chrono::seconds>(duration);
}

}  // namespace

ProgressBoard::Piece* ProgressBoard::find(std::string_view id) {
  const auto found =
      std::find_if(pieces_.begin(), pieces_.end(), [id](const Piece& piece) { return piece.state.id == id; });
  return found == pieces_.end() ? nullptr : &*found;
}

ProgressBoard::Change ProgressBoard::update(const base::Progress& progress, Time now) {
  if (!working()) {
    pieces_.clear();
    meter_.reset();
    begun_ = now;
  }
  Change change;
  auto* piece = find(progress.id);
  if (piece == nullptr) {
    change.phase = true;
    piece = &pieces_.emplace_back(Piece{progress, {}, now, now});
  } else {
    change.phase = piece->state.phase != progress.phase;
    change.ended = change.phase && progress.phase == ProgressPhase::done;
    if (change.phase && progress.phase == ProgressPhase::working) {
      piece->begun = now;
    }
    piece->state = progress;
  }
  change.took = now - piece->begun;
  change.since_last_line = now - piece->last_line;
  return change;
}

void ProgressBoard::mark_line(std::string_view id, Time now) {
  if (auto* piece = find(id)) {
    piece->last_line = now;
  }
}

bool ProgressBoard::working() const {
  return std::any_of(pieces_.begin(), pieces_.end(),
                     [](const Piece& piece) { return piece.state.phase != ProgressPhase::done; });
}

void ProgressBoard::restart_meters() {
  meter_.reset();
  for (auto& piece : pieces_) {
    piece.meter.reset();
  }
}

ProgressLine ProgressBoard::total(Time now) {
  ProgressLine line{"total", "", 0, 0, ProgressUnit::bytes, 0, whole_seconds(now - begun_)};
  std::size_t count = 0;
  std::size_t complete = 0;
  for (const auto& [state, meter, begun, last_line] : pieces_) {
    if (is_measured_in_bytes(state)) {
      ++count;
      complete += state.phase == ProgressPhase::done ? 1 : 0;
      line.done += state.done;
      line.total += state.total;
    }
  }
  line.label = fmt::format("{} of {}", complete, count);
  meter_.add(now, line.done);
  line.rate = meter_.rate();
  return line;
}

std::vector<ProgressLine> ProgressBoard::lines(Time now, std::size_t most) {
  std::vector<ProgressLine> lines;
  for (auto& piece : pieces_) {
    const auto& state = piece.state;
    if (state.phase == ProgressPhase::working) {
      piece.meter.add(now, state.done);
      lines.push_back({state.id, std::string(ops::label_of(state)), state.done, state.total, state.unit,
                       piece.meter.rate(), whole_seconds(now - piece.begun)});
    }
  }
  if (std::count_if(pieces_.begin(), pieces_.end(),
                    [](const Piece& piece) { return is_measured_in_bytes(piece.state); }) > 1) {
    lines.push_back(total(now));
  }
  if (lines.size() > most) {
    lines.erase(lines.begin() + static_cast<std::ptrdiff_t>(most == 0 ? 0 : most - 1),
                most == 0 ? lines.end() : lines.end() - 1);
  }
  return lines;
}

}  // namespace berth::cli
