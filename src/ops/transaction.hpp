// A change of the host as a list of steps, all of which happen or none.
#pragma once

#include <functional>
#include <stop_token>
#include <string>
#include <vector>

#include "base/reporter.hpp"

namespace berth::ops {

/// One step of a change.
struct Step {
  std::string what;             ///< for people and errors: "write /etc/systemd/system/etcd.service"
  std::function<void()> apply;  ///< may throw, also half-way; empty for a step that only takes something back
  /// Takes back whatever `apply` did, all, half or nothing of it. What it throws is reported as a warning and
  /// does not keep the other steps from being taken back.
  std::function<void()> undo;
};

/// Called before step `index` is applied and once more, with the number of steps, after the last; what it throws
/// is a failure at that place. Tests use it.
using StepHook = std::function<void(std::size_t index)>;

/// Applies the steps in order. When one fails, or the user asks to stop between two, every step that was begun is
/// undone in reverse order and the error is thrown on.
void run_steps(const std::vector<Step>& steps, base::Reporter& reporter, const std::stop_token& stop,
               const StepHook& hook = {});

/// Undoes all steps in reverse order; failures become warnings.
void undo_steps(const std::vector<Step>& steps, std::size_t begun, base::Reporter& reporter) noexcept;

}  // namespace berth::ops
