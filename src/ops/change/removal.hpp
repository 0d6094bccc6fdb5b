// SPDX-License-Identifier: LGPL-2.1-or-later
// Removes a container as its record says. Until the last reversible step everything can be restored.
#pragma once

#include <string>
#include <vector>

#include "base/json_fwd.hpp"
#include "ops/context.hpp"
#include "ops/journal_record.hpp"
#include "ops/transaction.hpp"

namespace berth::ops {

struct UninstallOutcome {
  std::string container;
  std::vector<std::string> kept_files = {};     ///< recorded host files that were edited since and are kept
  std::vector<std::string> remarks = {};        ///< messages about other files that are kept
  std::vector<std::string> saved_texts = {};    ///< paths of copies of an edited unit or tmpfiles.d file
  std::vector<std::string> stopped_units = {};  ///< units that were stopped with the service because they require it
  bool shows_preinstalled = false;              ///< a container of the operating system of that name is visible again
};

/// For `--json`, described in schemas/berth-uninstall.schema.json.
base::Json to_json(const UninstallOutcome& outcome);

/// Writes the record to the journal and removes the container. A failure or a stop request before the last reversible
/// step restores everything. The caller holds the container's lock.
/// @param hook fault injection for tests
UninstallOutcome remove_container(Context& context, UninstallRecord record, const StepHook& hook);

/// Completes an interrupted uninstall from its record. The caller holds the lock.
UninstallOutcome complete_uninstall(Context& context, const UninstallRecord& record);

}  // namespace berth::ops
