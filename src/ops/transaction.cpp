#include "ops/transaction.hpp"

#include <fmt/format.h>

#include "base/error.hpp"
#include "ops/session.hpp"

namespace berth::ops {

void undo_steps(const std::vector<Step>& steps, std::size_t begun, base::Reporter& reporter) noexcept {
  for (std::size_t index = begun; index-- > 0;) {
    try {
      if (steps[index].undo) {
        steps[index].undo();
      }
    } catch (const std::exception& error) {
      reporter.warning(fmt::format("while taking back '{}': {}", steps[index].what, error.what()));
    }
  }
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
    undo_steps(steps, begun, reporter);
    throw;
  }
}

}  // namespace berth::ops
