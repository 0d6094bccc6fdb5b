// Directories of the host that an image's own tmpfiles.d lines make for what its container writes.
#pragma once

#include "host/state/deployment.hpp"
#include "ops/context.hpp"

namespace berth::ops {

/// Keeps others out of those that a deployment of an earlier version left open, as a plan does today
/// (render::close_tmpfiles): the directories, the lines on the host and those of both deployments, so that neither a
/// boot nor a rollback opens them again. Lines that somebody edited stay, which is a warning. Does nothing while a
/// change of the container is unfinished or under way.
void close_former_directories(const Context& context, const host::Deployment& deployment);

}  // namespace berth::ops
