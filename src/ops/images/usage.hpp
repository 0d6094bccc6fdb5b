// berth df: what takes how much of the disk.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "ops/context.hpp"

namespace berth::ops {

struct UsageRow {
  std::string kind;  ///< image, container, view
  std::string name;
  std::uint64_t shared = 0;       ///< bytes on the disk that something else has, too
  std::uint64_t own = 0;          ///< bytes on the disk that nothing else has
  std::uint64_t reclaimable = 0;  ///< of `own`, what would go with a delete or uninstall; none of an image in use
};

struct DiskUsage {
  std::vector<UsageRow> rows;
  std::uint64_t total = 0;        ///< each file once
  std::uint64_t reclaimable = 0;  ///< what `berth images prune` would free now
};

DiskUsage disk_usage(Context& context);

}  // namespace berth::ops
