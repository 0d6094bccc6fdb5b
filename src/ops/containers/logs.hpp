// berth logs: what the service of a container says.
#pragma once

#include <functional>
#include <string>

#include "host/systemd/systemd_journal.hpp"
#include "ops/context.hpp"

namespace berth::ops {

/// Gives the journal's entries of an installed container as host::read_log does.
/// @param query its unit and root are filled in
/// @throws Error(not_found), Error(usage) for a container without a service
void logs(Context& context, const std::string& name, host::LogQuery query,
          const std::function<bool(const host::LogEntry&)>& take, const std::function<bool()>& go_on);

}  // namespace berth::ops
