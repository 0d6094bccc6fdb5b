// What of a configuration keeps a service from starting.
#pragma once

#include <string>

#include "ops/context.hpp"

namespace berth::ops {

/// Half a sentence that names the host paths which config.json of a container binds and which do not exist:
/// `; /etc/pki, which its config.json binds, does not exist`. Empty when all are there, or nothing can be told.
std::string missing_binds(const Context& context, const std::string& name);

}  // namespace berth::ops
