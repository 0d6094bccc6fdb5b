// Who reaches the files of one deployment: root, or the user whose container it is, and the group of a container with a
// user namespace of its own.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>

#include "base/json.hpp"
#include "ops/context.hpp"

namespace berth::ops {

/// The group of the host that passes for root in a container with a user namespace of its own, from its config.json;
/// nullopt without one, and when that is root's.
std::optional<gid_t> passing_group(const base::Json& config);

/// Closes a deployment as far as its own config.json allows. @param name of its directory
/// @return whether it was open
bool close_deployment(const Context& context, int deployments, const std::string& name);

/// Lets the container of a deployment reach its root file system: makes `directory`, its place, 0700, or 0710 with the
/// group that passes, and lets that group through the directory of deployments. @param config its config.json
void let_container_pass(const Context& context, int directory, const base::Json& config);

}  // namespace berth::ops
