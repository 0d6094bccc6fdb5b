// berth uninstall: back to a clean host.
#pragma once

#include <string>
#include <vector>

#include "ops/deployment_note.hpp"
#include "ops/session.hpp"
#include "ops/transaction.hpp"

namespace berth::ops {

struct UninstallOutcome {
  std::vector<std::string> kept_files;     ///< recorded host files that were edited since and stay
  std::vector<std::string> remarks;        ///< about what else stays
  std::vector<std::string> saved_texts;    ///< paths where the texts of an edited unit or tmpfiles.d lines are kept
  std::vector<std::string> stopped_units;  ///< other units that were stopped with the service, for they need it
};

/// Stops and removes a container. Before its last reversible step a failure or a stop request restores everything;
/// after it, it is completed, if need be by the next command.
/// @param hook fault injection for tests
/// @throws Error(not_found) when nothing of that name is installed
UninstallOutcome uninstall(Session& session, const std::string& name, const StepHook& hook = {});

/// Completes an uninstall from its note, however far it had come. The caller holds the lock.
UninstallOutcome complete_uninstall(Session& session, const UninstallNote& note);

}  // namespace berth::ops
