// SPDX-License-Identifier: LGPL-2.1-or-later
// berth update --check.
#pragma once

#include "ops/containers/update.hpp"

namespace berth::cli {

/// Prints what an update would change.
/// @param request without a name: all installed containers
/// @param with_diff also compare the deployments, for which images are fetched
/// @return the exit code
int print_update_checks(const ops::UpdateRequest& request, bool with_diff, bool json, ops::Context& context);

}  // namespace berth::cli
