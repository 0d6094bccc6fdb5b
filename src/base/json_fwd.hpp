// SPDX-License-Identifier: LGPL-2.1-or-later
// The names of the JSON types, for headers that need no more of them.
#pragma once

#include <nlohmann/json_fwd.hpp>

namespace berth::base {

/// Keeps the order of keys, so that what we write back looks like what we read.
using Json = nlohmann::ordered_json;

class JsonView;

}  // namespace berth::base
