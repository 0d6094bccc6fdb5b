// berth logs: journal entries of a container's service.
#pragma once

#include <functional>
#include <string>

#include "base/json_fwd.hpp"
#include "host/systemd/systemd_journal.hpp"
#include "ops/context.hpp"

namespace berth::ops {

/// Reads the journal entries of an installed container.
/// @param query without `unit`, `own_user` and `root`, which are set here
/// @param take gets each entry; returns false to end
/// @param go_on asked while waiting for new entries; returns false to end
/// @throws Error(not_found), Error(usage) for a container without a service
void logs(Context& context, const std::string& name, host::LogQuery query,
          const std::function<bool(const host::LogEntry&)>& take, const std::function<bool()>& go_on);

/// One entry (berth-logs.schema.json).
base::Json to_json(const host::LogEntry& entry);

}  // namespace berth::ops
