#include "ops/transaction.hpp"

#include <fmt/format.h>

#include <exception>

#include "ops/context.hpp"

namespace berth::ops {

namespace {

using base::Error;
using base::ErrorKind;

constexpr const char* later = "what is left of it is taken back by the next berth command, or by: berth recover";

/// "it was rolled back" is what start_failed says, which is not so.
ErrorKind kind_of(const Error& cause) {
  return cause.kind() == ErrorKind::start_failed ? ErrorKind::failed : cause.kind();
}

std::string hint_of(const Error& cause) {
  return cause.hint().empty() ? later : fmt::format("{}; {}", later, cause.hint());
}

/// @return whether it worked
bool undo_step(const Step& step, base::Reporter& reporter) {
  try {
    if (step.undo) {
      step.undo();
    }
    return true;
  } catch (const std::exception& error) {
    reporter.warning(fmt::format("while taking back '{}': {}", step.what, error.what()));
    return false;
  }
}

/// The exception that is being handled.
Error current_error() {
  try {
    throw;
  } catch (const Error& error) {
    return error;
  } catch (const std::exception& error) {
    return {ErrorKind::failed, error.what()};
  }
}

}  // namespace

IncompleteUndo::IncompleteUndo(const Error& cause) : Error(kind_of(cause), cause.message(), hint_of(cause)) {
  for (const auto& line : cause.contexts()) {
    add_context(line);
  }
}

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
    throw IncompleteUndo(current_error());
  }
  throw;
}

void run_steps(const std::vector<Step>& steps, base::Reporter& reporter, const std::stop_token& stop,
               const StepHook& hook) {
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
