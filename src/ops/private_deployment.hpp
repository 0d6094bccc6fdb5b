// SPDX-License-Identifier: LGPL-2.1-or-later
// Access to the files of one deployment: root, or the owner of a rootless container, and the group that a container
// with a user namespace of its own runs as.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>

#include "base/json_fwd.hpp"
#include "ops/context.hpp"

namespace berth::ops {

/// The group of the host that is mapped to group 0 of a container with a user namespace of its own; nullopt without
/// such a namespace, and when that is group 0 itself. @param config its config.json
std::optional<gid_t> passing_group(const base::Json& config);

/// Closes the directory of a deployment to all but root and the group of its config.json. @param name of its directory
/// @return whether it was open to others
bool close_deployment(const Context& context, int deployments, const std::string& name);

/// Lets the container of a deployment reach its root file system: sets the mode of `directory`, that of the deployment,
/// to 0700, or to 0710 with passing_group(), and lets that group through the directory of deployments.
/// @param config its config.json
void let_container_pass(const Context& context, int directory, const base::Json& config);

}  // namespace berth::ops
