// SPDX-License-Identifier: LGPL-2.1-or-later
// berth df: disk usage of images and containers.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/json_fwd.hpp"
#include "ops/context.hpp"

namespace berth::ops {

struct UsageRow {
  std::string kind;  ///< image, container, view
  std::string name;
  std::uint64_t shared = 0;       ///< bytes on disk, shared with other rows
  std::uint64_t own = 0;          ///< bytes on disk that belong to this row only
  std::uint64_t reclaimable = 0;  ///< bytes of `own` that a delete or an uninstall would free; 0 for an image in use
};

struct DiskUsage {
  std::vector<UsageRow> rows;
  std::uint64_t total = 0;        ///< bytes on disk, each file counted once
  std::uint64_t reclaimable = 0;  ///< bytes that `berth images prune` would free
};

DiskUsage disk_usage(Context& context);

/// berth-df.schema.json
base::Json to_json(const DiskUsage& usage);

}  // namespace berth::ops
