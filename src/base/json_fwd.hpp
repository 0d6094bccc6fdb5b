// The name of a JSON document, for headers that need no more of it.
#pragma once

#include <nlohmann/json_fwd.hpp>

namespace berth::base {

/// Keeps the order of keys, so that what we write back looks like what we read.
using Json = nlohmann::ordered_json;

}  // namespace berth::base
