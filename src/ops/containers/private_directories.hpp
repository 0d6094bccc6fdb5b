// SPDX-License-Identifier: LGPL-2.1-or-later
// Removes access of other users to files of images, which may be setuid or outdated.
#pragma once

#include "ops/context.hpp"

namespace berth::ops {

/// Makes directories private that earlier versions of berth or other tools left open: the directory of deployments with
/// all deployments, the repository, and preinstalled containers. Objects that other users could have changed are
/// verified from then on before they are deployed (store/ostree/private_mark.hpp). Failures are warnings, so that
/// commands are not blocked. Every command calls it first; it takes a few fstat(2) calls when all directories are
/// private.
void make_directories_private(Context& context);

}  // namespace berth::ops
