// SPDX-License-Identifier: LGPL-2.1-or-later
// Directories for the data of a container that the tmpfiles.d lines of its image create.
#pragma once

#include "host/state/deployment.hpp"
#include "ops/context.hpp"

namespace berth::ops {

/// Removes the access of other users to directories that were installed by versions of berth which left them open, as
/// plans do (render::close_tmpfiles). Changes the directories, the tmpfiles.d lines on the host and those of both
/// deployments, so that neither a boot nor a rollback opens them again. Edited lines are kept, with a warning. Does
/// nothing while a change of the container is unfinished or in progress.
void close_former_directories(const Context& context, const host::Deployment& deployment);

}  // namespace berth::ops
