// SPDX-License-Identifier: LGPL-2.1-or-later
// berth containers list: installed containers and the state of their services.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "base/json_fwd.hpp"
#include "host/state/deployment.hpp"
#include "ops/context.hpp"
#include "ops/filter.hpp"

namespace berth::ops {

extern const std::vector<std::string> container_filter_keys;  ///< container image command created state backend runtime

struct ContainerRow {
  std::string name;
  std::string image;
  std::string image_id;
  std::string command;       ///< process.args joined with blanks
  std::int64_t created = 0;  ///< epoch seconds
  std::string state;         ///< running, failed, inactive, no service
  std::string runtime;       ///< path of the OCI runtime
  bool preinstalled = false;
};

/// @param key one of container_filter_keys
/// @return the text that a filter of that key is compared with
std::string filter_field(const ContainerRow& row, const std::string& key);

/// Where the container's files come from: `ostree`, or `preinstalled`.
std::string backend_of(const ContainerRow& row);

struct ContainerQuery {
  bool all = false;             ///< stopped containers, too
  std::vector<Filter> filters;  ///< all must match
};

/// @return installed containers sorted by name. Those that cannot be read are left out with a warning.
std::vector<ContainerRow> list_containers(Context& context, const ContainerQuery& query);

/// @param states of units by name, as systemd reports them
/// @return running, failed, inactive, or `no service`
std::string container_state(const host::Deployment& deployment, const std::map<std::string, host::UnitState>& states);

/// berth-containers-list.schema.json
base::Json to_json(const std::vector<ContainerRow>& rows);

}  // namespace berth::ops
