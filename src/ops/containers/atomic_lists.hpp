// SPDX-License-Identifier: LGPL-2.1-or-later
// The lists of containers and images in the JSON form of `atomic`.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/json_fwd.hpp"
#include "ops/containers/list.hpp"
#include "ops/images/list.hpp"

namespace berth::ops {

/// @return `4.27 MB`, as `atomic` shows sizes, in units of 1000; empty when the size is unknown
std::string atomic_size(std::int64_t bytes);

/// berth-atomic-containers-list.schema.json
base::Json to_atomic_json(const std::vector<ContainerRow>& rows);

/// berth-atomic-images-list.schema.json
base::Json to_atomic_json(const std::vector<ImageRow>& rows);

}  // namespace berth::ops
