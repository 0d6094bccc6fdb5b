// SPDX-License-Identifier: LGPL-2.1-or-later
// The slice of a unit, which a drop-in can change, and the control group of its payload.
#pragma once

#include <string>

#include "ops/context.hpp"

namespace berth::ops {

/// Makes the payload of a deployment start inside its unit. Queries systemd for the slice, and updates
/// linux.cgroupsPath in config.json when it names another slice and was chosen by berth. A path that the image chose,
/// or a relative path, for which runc finds the unit itself, is kept. A config.json that cannot be updated is reported
/// as a warning: the service starts, but the limits of the unit and of its slice do not apply to it.
/// @param name of the container
/// @param directory the deployment, absolute on disk
void follow_slice(Context& context, const std::string& name, const std::string& directory);

}  // namespace berth::ops
