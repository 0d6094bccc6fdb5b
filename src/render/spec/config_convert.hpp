// SPDX-License-Identifier: LGPL-2.1-or-later
// Converts old forms of config.json to OCI runtime-spec 1.0.2 (docs/system-containers.md, "Old configurations").
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/json_fwd.hpp"
#include "render/spec/host_features.hpp"

namespace berth::render {

/// Converts forms with one clear modern meaning and leaves everything else unchanged.
/// @param document checked by check_shape; changed in place
/// @return one message for each conversion; empty when nothing was changed
/// @throws Error(verification) for a form without a clear meaning
std::vector<std::string> convert_config(base::Json& document, std::string_view file, const HostFeatures& features);

}  // namespace berth::render
