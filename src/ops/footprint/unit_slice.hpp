// The slice that a unit is in, by its own Slice= or a drop-in's, and the control group of its payload.
#pragma once

#include <string>

#include "ops/context.hpp"

namespace berth::ops {

/// Has the payload of a deployment start inside its unit, wherever that is: systemd, which has read the unit and its
/// drop-ins, is asked for the slice, and a linux.cgroupsPath that berth chose and that names another one is written
/// anew. One that the image chose, or that is relative (runc finds the unit by itself), stays. What cannot be written
/// is a warning: the service runs, but nothing that limits the unit or its slice binds it.
/// @param directory the deployment: absolute, on the disk
void follow_slice(Context& context, const std::string& name, const std::string& directory);

}  // namespace berth::ops
