// SPDX-License-Identifier: LGPL-2.1-or-later
// Explains a failed start by missing sources of binds.
#pragma once

#include <string>

#include "ops/context.hpp"

namespace berth::ops {

/// Names the host paths that config.json of a container binds and that do not exist, to be appended to a message:
/// `; /etc/pki, which its config.json binds, does not exist`. Empty when all exist or the deployment cannot be read.
std::string missing_binds(const Context& context, const std::string& name);

}  // namespace berth::ops
