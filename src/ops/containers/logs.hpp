// SPDX-License-Identifier: LGPL-2.1-or-later
// berth logs: journal entries of a container's service.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "base/json_fwd.hpp"
#include "host/systemd/systemd_journal.hpp"
#include "ops/context.hpp"

namespace berth::ops {

struct LogRequest {
  std::string name;
  std::optional<std::size_t> last;    ///< --lines: at most this many existing entries
  std::optional<std::int64_t> since;  ///< --since, in microseconds since the epoch
  bool follow = false;                ///< --follow: continue with new entries
};

/// Reads the journal entries of an installed container.
/// @param take gets each entry; returns false to end
/// @param go_on asked while waiting for new entries; returns false to end
/// @throws Error(not_found), Error(usage) for a container without a service
void logs(Context& context, const LogRequest& request, const std::function<bool(const host::LogEntry&)>& take,
          const std::function<bool()>& go_on);

/// One entry (berth-logs.schema.json).
base::Json to_json(const host::LogEntry& entry);

}  // namespace berth::ops
