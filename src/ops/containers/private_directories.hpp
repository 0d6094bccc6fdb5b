// Nobody but root, or the user whose containers they are, reaches files of images.
#pragma once

#include "ops/context.hpp"

namespace berth::ops {

/// Closes what others can enter: the directory of deployments with all that is in it, the repository, and preinstalled
/// containers, as earlier versions and other tools made them. Objects that could be changed are examined from then on
/// before they are deployed (store/ostree/private_mark.hpp). What cannot be closed is a warning, for nothing else may
/// wait for it. A few fstat(2) when all is closed; to be called before anything else is done.
void close_places(Context& context);

}  // namespace berth::ops
