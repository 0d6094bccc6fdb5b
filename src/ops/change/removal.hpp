// The removal of a container, from its note: everything that is its own goes, or, until the last reversible step, comes
// back.
#pragma once

#include <string>
#include <vector>

#include "ops/context.hpp"
#include "ops/journal_record.hpp"
#include "ops/transaction.hpp"

namespace berth::ops {

struct UninstallOutcome {
  std::vector<std::string> kept_files;     ///< recorded host files that were edited since and stay
  std::vector<std::string> remarks;        ///< about what else stays
  std::vector<std::string> saved_texts;    ///< paths where the texts of an edited unit or tmpfiles.d lines are kept
  std::vector<std::string> stopped_units;  ///< other units that were stopped with the service, for they need it
};

/// Notes durably what is about to go and removes it. A failure or a stop request before the last reversible step
/// restores everything. The caller holds the container's lock.
/// @param hook fault injection for tests
UninstallOutcome remove_container(Context& context, UninstallNote note, const StepHook& hook);

/// Completes an uninstall from its note, however far it had come. The caller holds the lock.
UninstallOutcome complete_uninstall(Context& context, const UninstallNote& note);

}  // namespace berth::ops
