// A change of the host as a list of steps, all of which happen or none.
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
  std::string what;             ///< for people and errors: "write /etc/systemd/system/etcd.service"
  std::function<void()> apply;  ///< may throw, also half-way; empty for a step that only takes something back
  /// Takes back whatever `apply` did, all, half or nothing of it, and can be run again. It needs no room on a disk.
  /// When it throws, the step is not taken back.
  std::function<void()> undo;
  /// While this step is not taken back, none before it is: they would pull away what the service runs from.
  bool decisive = false;
};

/// Called before step `index` is applied and once more, with the number of steps, after the last; what it throws
/// is a failure at that place. Tests use it.
using StepHook = std::function<void(std::size_t index)>;

/// The failure of a change of which not everything could be taken back. Whoever wrote a note of the change keeps it, so
/// that the next command goes on.
class IncompleteUndo : public base::Error {
 public:
  /// @param cause why the change failed
  explicit IncompleteUndo(const base::Error& cause);
};

/// Applies the steps in order. When one fails, or the user asks to stop between two, every step that was begun is
/// undone in reverse order and the error is thrown on.
/// @throws IncompleteUndo in place of the error when not everything could be taken back
void run_steps(const std::vector<Step>& steps, base::Reporter& reporter, const std::stop_token& stop,
               const StepHook& hook = {});

/// Undoes the first `begun` steps in reverse order. Failures become warnings and do not keep the others from being
/// undone, unless the step is decisive.
/// @return whether everything is taken back
[[nodiscard]] bool undo_steps(const std::vector<Step>& steps, std::size_t begun, base::Reporter& reporter) noexcept;

/// Called while an exception is handled: undoes the first `begun` steps and throws it on.
/// @throws IncompleteUndo in its place when not everything could be taken back
[[noreturn]] void undo_and_rethrow(const std::vector<Step>& steps, std::size_t begun, base::Reporter& reporter);

}  // namespace berth::ops
