// SPDX-License-Identifier: LGPL-2.1-or-later
#include "ops/transaction.hpp"

#include <fmt/format.h>

#include <exception>

#include "base/activity.hpp"
#include "ops/context.hpp"

namespace berth::ops {

namespace {

using base::Error;
using base::ErrorKind;

constexpr const char* later = "the next berth command, or `berth recover`, undoes the rest";

/// start_failed means that the change was rolled back, which it was not.
ErrorKind kind_of(const Error& cause) {
  return cause.kind() == ErrorKind::start_failed ? ErrorKind::failed : cause.kind();
}

std::string hint_of(const Error& cause) {
  return cause.hint().empty() ? later : fmt::format("{}; {}", later, cause.hint());
}

/// @return whether the step was undone
bool undo_step(const Step& step, base::Reporter& reporter) {
  try {
    if (step.undo) {
      step.undo();
    }
    return true;
  } catch (...) {
    reporter.warning(fmt::format("while undoing '{}': {}", step.what, base::current_message()));
    return false;
  }
}

/// Replaces the exception that is being handled by one that says that its change was not undone completely.
[[noreturn]] void throw_incomplete() {
  try {
    throw;
  } catch (const base::Interrupted&) {
    throw InterruptedUndo();
  } catch (const Error& error) {
    throw IncompleteUndo(error);
  } catch (const std::exception& error) {
    throw IncompleteUndo({ErrorKind::failed, error.what()});
  }
}

}  // namespace

IncompleteUndo::IncompleteUndo(const Error& cause)
    : Error(kind_of(cause), cause.message(), hint_of(cause), cause.details()) {
  for (const auto& line : cause.contexts()) {
    add_context(line);
  }
}

InterruptedUndo::InterruptedUndo() : Interrupted(later) {}

bool undo_steps(const std::vector<Step>& steps, std::size_t begun, base::Reporter& reporter) noexcept {
  bool all = true;
  for (std::size_t index = begun; index-- > 0;) {
    if (!undo_step(steps[index], reporter)) {
      all = false;
      if (steps[index].decisive) {
        return false;
      }
    }
  }
  return all;
}

void undo_and_rethrow(const std::vector<Step>& steps, std::size_t begun, base::Reporter& reporter) {
  if (!undo_steps(steps, begun, reporter)) {
    throw_incomplete();
  }
  throw;
}

void run_steps(const std::string& id, const std::vector<Step>& steps, base::Reporter& reporter,
               const std::stop_token& stop, const StepHook& hook) {
  base::Activity applying(reporter, id, base::ProgressTask::applying, base::ProgressUnit::steps, steps.size());
  std::size_t begun = 0;
  try {
    for (const auto& step : steps) {
      check_stop(stop);
      if (hook) {
        hook(begun);
      }
      ++begun;
      if (step.apply) {
        step.apply();
      }
      applying.advance(1);
    }
    check_stop(stop);
    if (hook) {
      hook(begun);
    }
  } catch (...) {
    undo_and_rethrow(steps, begun, reporter);
  }
}

}  // namespace berth::ops
