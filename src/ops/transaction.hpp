// SPDX-License-Identifier: LGPL-2.1-or-later
// A change of the host as a list of steps: all are applied, or none.
#pragma once

#include <functional>
#include <stop_token>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "base/reporter.hpp"

namespace berth::ops {

/// One step of a change.
struct Step {
  std::string what;             ///< for messages: "write /etc/systemd/system/etcd.service"
  std::function<void()> apply;  ///< may throw when partly done; empty: the step only has an undo
  /// Undoes `apply`, whether it was done, partly done or not done. May run several times, also in another process, and
  /// needs no free disk space. When it throws, the step is not undone.
  std::function<void()> undo;
  /// When this step cannot be undone, the steps before it are not undone either: the service may still run from their
  /// files.
  bool decisive = false;
};

/// Called before each step, and once with the number of steps after the last one. An exception counts as a failure
/// there. For tests.
using StepHook = std::function<void(std::size_t index)>;

/// Base of the exceptions that end a change which could not be undone completely. The journal record must be kept, so
/// that the next command continues the undo.
struct RecordStays {};

/// A change failed and could not be undone completely.
class IncompleteUndo : public base::Error, public RecordStays {
 public:
  /// @param cause why the change failed
  explicit IncompleteUndo(const base::Error& cause);
};

/// A change was stopped by the user and could not be undone completely.
class InterruptedUndo : public base::Interrupted, public RecordStays {
 public:
  InterruptedUndo();
};

/// Applies the steps in order. When one fails, or a stop is requested between two, every step that was begun is undone
/// in reverse order and the exception rethrown.
/// Reports the number of applied steps.
/// @param id of the change in its progress: the name of the container
/// @throws IncompleteUndo or InterruptedUndo when the steps could not be undone completely
void run_steps(const std::string& id, const std::vector<Step>& steps, base::Reporter& reporter,
               const std::stop_token& stop, const StepHook& hook = {});

/// Undoes the first `begun` steps in reverse order. A failure is reported as a warning; the steps before it are undone
/// unless the step that failed is decisive.
/// @return whether all steps were undone
[[nodiscard]] bool undo_steps(const std::vector<Step>& steps, std::size_t begun, base::Reporter& reporter) noexcept;

/// Called in an exception handler: undoes the first `begun` steps and rethrows the exception.
/// @throws IncompleteUndo or InterruptedUndo instead when the steps could not be undone completely
[[noreturn]] void undo_and_rethrow(const std::vector<Step>& steps, std::size_t begun, base::Reporter& reporter);

}  // namespace berth::ops
