// SPDX-License-Identifier: LGPL-2.1-or-later
#include "ops/progress.hpp"

#include <array>
#include <cstddef>

#include "base/json.hpp"

namespace berth::ops {

namespace {

using base::ProgressPhase;
using base::ProgressTask;
using base::ProgressUnit;

std::string_view name_of(ProgressPhase phase) {
  return phase == ProgressPhase::waiting ? "waiting" : phase == ProgressPhase::working ? "working" : "done";
}

std::string_view name_of(ProgressTask task) {
  constexpr std::array<std::string_view, 13> names = {"resolving",    "fetching",  "present",  "merging", "writing",
                                                      "checking-out", "comparing", "checking", "marking", "removing",
                                                      "starting",     "stopping",  "applying"};
  static_assert(names.size() == static_cast<std::size_t>(ProgressTask::applying) + 1);
  return names.at(static_cast<std::size_t>(task));
}

}  // namespace

std::string_view label_of(const base::Progress& progress) {
  switch (progress.task) {
    case ProgressTask::fetching:
      return progress.phase == ProgressPhase::waiting   ? "waiting"
             : progress.phase == ProgressPhase::working ? "fetching"
                                                        : "fetched";
    case ProgressTask::writing:
      return "writing to disk";
    case ProgressTask::checking_out:
      return "checking out";
    case ProgressTask::marking:
      return "marking objects in use";
    default:
      return name_of(progress.task);
  }
}

std::string_view name_of(ProgressUnit unit) {
  switch (unit) {
    case ProgressUnit::bytes:
      return "bytes";
    case ProgressUnit::files:
      return "files";
    case ProgressUnit::objects:
      return "objects";
    case ProgressUnit::steps:
      return "steps";
  }
  return "";
}

base::Json to_json(const base::Progress& progress) {
  return {{"id", progress.id},
          {"task", name_of(progress.task)},
          {"label", label_of(progress)},
          {"phase", name_of(progress.phase)},
          {"done", progress.done},
          {"total", progress.total},
          {"unit", name_of(progress.unit)}};
}

}  // namespace berth::ops
