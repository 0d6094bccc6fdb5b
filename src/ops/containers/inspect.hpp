// SPDX-License-Identifier: LGPL-2.1-or-later
// berth inspect: a container or an image in full.
#pragma once

#include <optional>
#include <string>
#include <variant>

#include "base/json_fwd.hpp"
#include "host/state/deployment.hpp"
#include "host/systemd/systemd.hpp"
#include "ops/context.hpp"

namespace berth::ops {

struct InspectedContainer {
  host::Deployment deployment;
  std::optional<host::UnitState> unit;  ///< not set without a service
  std::optional<std::string> config;    ///< text of config.json
};

using Inspection = std::variant<InspectedContainer, store::StoredImage>;

/// @param name of a container, or, when there is no container of that name, of an image
/// @throws Error(not_found)
Inspection inspect(Context& context, const std::string& name);

/// berth-inspect.schema.json. @throws Error(verification) for a stored document that is no JSON
base::Json to_json(const Inspection& inspection);

}  // namespace berth::ops
