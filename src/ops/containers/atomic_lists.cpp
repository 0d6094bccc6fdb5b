// SPDX-License-Identifier: LGPL-2.1-or-later
#include "ops/containers/atomic_lists.hpp"

#include <fmt/format.h>

#include <array>
#include <cstddef>

#include "base/json.hpp"
#include "ops/timestamp.hpp"

namespace berth::ops {

std::string atomic_size(std::int64_t bytes) {
  constexpr std::array<const char*, 6> units = {"B", "KB", "MB", "GB", "TB", "PB"};
  if (bytes <= 0) {
    return {};
  }
  auto value = static_cast<double>(bytes);
  std::size_t unit = 0;
  while (value >= 1000 && unit + 1 < units.size()) {
    value /= 1000;
    ++unit;
  }
  return fmt::format("{:.2f} {}", value, units.at(unit));
}

base::Json to_atomic_json(const std::vector<ContainerRow>& rows) {
  auto list = base::Json::array();
  for (const auto& row : rows) {
    list.push_back({{"id", row.name},
                    {"image_id", row.image_id},
                    {"image_name", row.image},
                    {"name", row.name},
                    {"command", row.command},
                    {"created", local_minute(row.created)},
                    {"state", row.state},
                    {"backend", backend_of(row)},
                    {"runtime", row.runtime},
                    {"vulnerable", false},
                    {"running", row.state != "inactive"}});
  }
  return list;
}

base::Json to_atomic_json(const std::vector<ImageRow>& rows) {
  auto list = base::Json::array();
  for (const auto& row : rows) {
    list.push_back({{"repo", row.repository},
                    {"tag", row.tag},
                    {"is_dangling", row.dangling},
                    {"used", row.used},
                    {"vulnerable", false},
                    {"id", row.id},
                    {"type", "image"},
                    {"created", local_minute(row.created)},
                    {"virtual_size", atomic_size(row.size)},
                    {"backend", "ostree"},
                    {"vuln_info", base::Json::object()}});
  }
  return list;
}

}  // namespace berth::ops
