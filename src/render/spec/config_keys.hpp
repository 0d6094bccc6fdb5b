// SPDX-License-Identifier: LGPL-2.1-or-later
// The keys of a config.json as different runtimes read them.
#pragma once

#include <string_view>

#include "base/json_fwd.hpp"

namespace berth::render {

/// Refuses keys that differ from one of the specification by case only: runc, like other programs that use Go's
/// encoding/json, takes `Hooks` for `hooks`, so berth would show one configuration and the runtime would run another.
/// @throws Error(verification) naming the key
void check_keys(const base::Json& document, std::string_view file);

}  // namespace berth::render
